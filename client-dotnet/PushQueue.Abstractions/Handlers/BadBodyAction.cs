namespace PushQueue.Client;

/// <summary>The end of a message whose body is not of the handler's type.</summary>
public enum BadBodyAction
{
    /// <summary>It is dead-lettered at once with the reason: another attempt would read the same body.</summary>
    DeadLetter,

    /// <summary>It is a failed attempt like any other, for example while a newer version of the program is rolled out.</summary>
    Retry,
}
