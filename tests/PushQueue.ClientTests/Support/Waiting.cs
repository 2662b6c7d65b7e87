namespace PushQueue.ClientTests.Support;

internal static class Waiting
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task WithTimeout(this Task task) => task.WaitAsync(Patience);

    public static Task<T> WithTimeout<T>(this Task<T> task) => task.WaitAsync(Patience);

    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!await condition().WithTimeout())
        {
            try
            {
                await Task.Delay(10, timeout.Token);
            }
            catch (OperationCanceledException e)
            {
                throw new TimeoutException($"Waited in vain: {what}", e);
            }
        }
    }
}
