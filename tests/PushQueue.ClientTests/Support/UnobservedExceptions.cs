using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Xunit;

namespace PushQueue.ClientTests.Support;

/// <summary>Exceptions of tasks that nobody looked at, in the whole run.</summary>
internal static class UnobservedExceptions
{
    private static readonly ConcurrentQueue<Exception> Seen = new();

    [ModuleInitializer]
    internal static void Watch() => TaskScheduler.UnobservedTaskException += (_, unobserved) =>
    {
        // The proxy and the test runner have exceptions of their own.
        if (unobserved.Exception.ToString().Contains("PushQueue.Client.", StringComparison.Ordinal))
        {
            Seen.Enqueue(unobserved.Exception);
        }
    };

    public static void AssertNone()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Empty(Seen);
    }
}
