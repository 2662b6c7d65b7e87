using PushQueue.Diagnostics;
using PushQueue.Queues;
using PushQueue.Security;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.SignalR;

/// <summary>
/// Remembers what one watcher of one queue has been sent: counters, settings and consumers are sent again where they changed, and at the
/// beginning what the last minutes brought. The list of consumers goes to callers that may manage the queue, their number to all.
/// </summary>
internal sealed class QueueChanges(
    QueueName queue, IMessageBroker broker, QueueRates rates, ClusterAnswers cluster, QueueTime time)
{
    /// <summary>More are counted, not listed; GET /q/{queue}/consumers has them all.</summary>
    private const int ConsumersMax = 200;

    private readonly Section _settings = new();
    private readonly Section _listeners = new();
    private readonly Section _access = new();
    private readonly Section _rights = new();
    private bool _begun;

    public async ValueTask<byte[]> NextAsync(Caller caller)
    {
        var info = await broker.GetQueueAsync(queue);
        var dead = queue.IsDeadLetter ? null : await broker.GetQueueAsync(queue.DeadLetter);
        var consumers = await cluster.ConsumersAsync(queue);
        var listeners = new ListenersContract(
            consumers.Count, caller.May(Permissions.Manage, queue) ? [.. consumers.Take(ConsumersMax)] : []);
        var now = time.GetUtcNow();
        var changes = new WatchedQueueContract
        {
            Now = now,
            Info = info is null ? null : QueueContract.Of(info, rates.Of(queue), consumers.Count, now),
            Dead = dead?.Waiting ?? 0,
            Access = _access.IfNew(CallerAccessContract.Of(caller), ContractContext.Default.CallerAccessContract),
            Rights = _rights.IfNew(QueueAccessContract.Of(caller, queue), ContractContext.Default.QueueAccessContract),
            Settings = _settings.IfNew(
                SettingsContract.Of(queue, info?.Settings ?? QueueSettings.Default), ContractContext.Default.SettingsContract),
            Listeners = _listeners.IfNew(listeners, ContractContext.Default.ListenersContract),
            History = _begun ? null : Array.ConvertAll(rates.PointsOf(queue, RateSamples.PointsMax), Numbers),
        };
        _begun = true;
        return JsonBuffer.Write(changes, ContractContext.Default.WatchedQueueContract);
    }

    private static long[] Numbers(QueuePoint point) => [point.Put, point.Delivered, point.Acked, point.Waiting];
}
