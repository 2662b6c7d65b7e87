#if !NET9_0_OR_GREATER
#endif
