using Microsoft.AspNetCore.Http;
using PushQueue.Queues;
using PushQueue.Transports;

namespace PushQueue.Dialects.Redisched;

/// <summary>/subscribe/{topic}: where a topic's jobs are pushed to. Kept as a setting of the queue, so it survives a restart.</summary>
internal sealed class RedischedSubscriptions(IMessageBroker broker, PushTargets targets)
{
    private const int UrlLengthMax = 2048;

    public async ValueTask<JsonError?> SubscribeAsync(HttpContext context, RedischedRequest request)
    {
        var text = request.Text("url");
        if (text is null
            || text.Length > UrlLengthMax
            || !Uri.TryCreate(text, UriKind.Absolute, out var url)
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
            || url.UserInfo.Length > 0)
        {
            return JsonError.BadRequest(
                $"The field 'url' must be an http or https URL of at most {UrlLengthMax} characters, without a user or password.");
        }

        if (!await targets.AllowsAsync(url, context.RequestAborted))
        {
            return new JsonError(
                StatusCodes.Status403Forbidden,
                $"'{OptionValues.Shown(url.Host)}' may not be pushed to, or its address is not known; "
                + "the operator can allow it with --push-allow.");
        }

        var result = await broker.UpdateSettingsAsync(request.Topic, new QueueSettingsPatch { PushUrl = url.AbsoluteUri });
        return result.Ok ? await RedischedAnswers.SuccessAsync(context, success: true) : JsonError.Of(result.Failure);
    }

    public async ValueTask<JsonError?> UnsubscribeAsync(HttpContext context)
    {
        if (RawPath.Queue(context, 0, out var topic) is { } problem)
        {
            return JsonError.Of(problem);
        }

        if (await broker.GetQueueAsync(topic) is not { Settings.PushUrl: not null })
        {
            return await RedischedAnswers.SuccessAsync(context, success: false);
        }

        var result = await broker.UpdateSettingsAsync(topic, new QueueSettingsPatch { PushUrl = "" });
        return result.Ok ? await RedischedAnswers.SuccessAsync(context, success: true) : JsonError.Of(result.Failure);
    }
}
