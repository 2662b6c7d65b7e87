namespace PushQueue.Delivery.Policies;

/// <summary>Who gets a queue's messages. One instance per queue; its dispatcher never runs two rounds at once.</summary>
internal interface IDispatchPolicy
{
    /// <summary>
    /// Gives out what is ready, up to a bounded amount. False where there was nothing to give or nobody with room: the dispatcher then
    /// sleeps until it is signalled.
    /// </summary>
    ValueTask<bool> RunRoundAsync();
}
