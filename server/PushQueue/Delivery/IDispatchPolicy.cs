namespace PushQueue.Delivery;

/// <summary>Decides which consumer gets which message. One instance per queue; its dispatcher never runs two rounds at once.</summary>
internal interface IDispatchPolicy
{
    /// <summary>
    /// Gives out what is ready, up to a bounded amount. False where there was nothing to give or no consumer with room: the dispatcher then
    /// sleeps until it is signalled.
    /// </summary>
    ValueTask<bool> RunRoundAsync();

    /// <summary>Finishes what it began before the queue got another policy. False where nothing is left, or no consumer has room.</summary>
    ValueTask<bool> FinishAsync();
}
