using System.Runtime.CompilerServices;

namespace PushQueue.Tests.Support;

/// <summary>A bound in real time on every await of a test: not a measurement, only a guard against hanging for ever.</summary>
internal static class TaskTimeouts
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    public static async Task WithTimeout(this Task task, [CallerArgumentExpression(nameof(task))] string? what = null)
    {
        try
        {
            await task.WaitAsync(Bound);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw HasNotEnded(what);
        }
    }

    public static async Task<T> WithTimeout<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string? what = null)
    {
        try
        {
            return await task.WaitAsync(Bound);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw HasNotEnded(what);
        }
    }

    public static Task WithTimeout(this ValueTask task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        task.AsTask().WithTimeout(what);

    public static Task<T> WithTimeout<T>(this ValueTask<T> task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        task.AsTask().WithTimeout(what);

    private static TimeoutException HasNotEnded(string? what) => new($"After {Bound.TotalSeconds:0} s this has not ended: {what}");
}
