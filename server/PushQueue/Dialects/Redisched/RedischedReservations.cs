using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.Redisched;

/// <summary>/t/{topic}: jobs go out, by their clients' clocks, and come back.</summary>
internal sealed class RedischedReservations(IMessageBroker broker, QueueTime time)
{
    private const int LimitDefault = 1000;
    private const int LimitMax = 100_000;

    public async ValueTask<JsonError?> ReserveAsync(HttpContext context, RedischedRequest request)
    {
        var error = JsonError.First(request.Time("max", out var max, out var inSeconds), request.Number("ttr", out var ttr));
        if (error is not null)
        {
            return error;
        }

        var timeToRun = default(TimeSpan);
        if (ttr is { } given && !RedischedTime.TryReadTimeToRun(given, inSeconds, out timeToRun))
        {
            return JsonError.BadRequest(
                "The field 'ttr' must be 1 ms to 24 hours, in the unit of 'max' (milliseconds where that is missing).");
        }

        var selection = Selection.DueBy(max ?? time.GetUtcNow());
        var take = new TakeRequest(Selection: selection, TimeToRun: ttr is null ? null : timeToRun)
        {
            Pending = new HttpPendingTake(context),
        };
        var result = await broker.LeaseAsync(request.Topic, take, context.RequestAborted);
        return NothingGivenOut(result.Error)
            ? await RedischedAnswers.JobAsync(context, job: null)
            : result.Ok ? await RedischedAnswers.JobAsync(context, result.Value is [var lease, ..] ? lease.Message : null)
            : JsonError.Of(result.Failure);
    }

    public async ValueTask<JsonError?> PullAsync(HttpContext context, RedischedRequest request)
    {
        if (request.Time("max", out var max, out _) is { } wrong)
        {
            return wrong;
        }

        var take = new TakeRequest(Selection: Selection.DueBy(max ?? time.GetUtcNow())) { Pending = new HttpPendingTake(context) };
        var result = await broker.TakeAsync(request.Topic, take, context.RequestAborted);
        return NothingGivenOut(result.Error)
            ? await RedischedAnswers.JobAsync(context, job: null)
            : result.Ok ? await RedischedAnswers.JobAsync(context, result.Value is [var job, ..] ? job : null)
            : JsonError.Of(result.Failure);
    }

    /// <summary>The job was run: it is gone, or queued again for another time.</summary>
    public async ValueTask<JsonError?> ReleaseAsync(HttpContext context, RedischedRequest request)
    {
        var error = JsonError.First(request.Id(out var id), request.Time("expiration", out var expiration, out _));
        if (error is not null)
        {
            return error;
        }

        // These clients do not know receipts: the id stands for the lease.
        LeaseKey[] key = [new LeaseKey(id, default)];
        var answers = expiration is null
            ? await broker.AckAsync(request.Topic, key)
            : await broker.ReleaseAsync(request.Topic, key, new ReleaseRequest(CountsAsAttempt: false, AvailableAt: expiration));
        return answers[0] switch
        {
            QueueError.None => await RedischedAnswers.ResultAsync(context, 1),
            QueueError.NotFound or QueueError.LeaseLost => await RedischedAnswers.ResultAsync(context, 0),
            var failure => JsonError.Of(new BrokerFailure(failure)),
        };
    }

    public async ValueTask<JsonError?> RequeueAsync(HttpContext context, RedischedRequest request)
    {
        var error = JsonError.First(request.Time("max", out var max, out _), request.Number("limit", out var limit));
        if (error is not null)
        {
            return error;
        }

        if (limit is { } given && (given is < 0 or > LimitMax || given != decimal.Truncate(given)))
        {
            return JsonError.BadRequest($"The field 'limit' must be a whole number from 0 to {LimitMax}.");
        }

        var result = await broker.EndDueLeasesAsync(request.Topic, max ?? time.GetUtcNow(), (int)(limit ?? LimitDefault));
        return result.Ok ? await RedischedAnswers.ResultAsync(context, result.Value) : JsonError.Of(result.Failure);
    }

    /// <summary>The dialect knows no stopped topics; its clients come again later, as they do where nothing is due.</summary>
    private static bool NothingGivenOut(QueueError error) => error == QueueError.QueueStopped;
}
