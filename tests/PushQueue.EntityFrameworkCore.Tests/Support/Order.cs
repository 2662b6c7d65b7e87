namespace PushQueue.EntityFrameworkCore.Tests.Support;

/// <summary>A body.</summary>
public sealed record Order(int Number, string Item);
