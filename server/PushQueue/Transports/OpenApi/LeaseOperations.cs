using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag leases.</summary>
internal static class LeaseOperations
{
    public static readonly ApiOperation Ack = new("ack", "leases", "Acks a leased message: its work is done")
    {
        Parameters = [ApiParameters.Receipt],
    };

    public static readonly ApiOperation Release = new(
        "release", "leases", "Gives a leased message back, as a failed attempt unless it was not begun")
    {
        Parameters =
        [
            ApiParameters.Receipt,
            ApiParameters.ReleaseDelay,
            ApiParameters.Backoff,
            ApiParameters.Error,
            ApiParameters.Worker,
            ApiParameters.Unstarted,
            ApiParameters.DeadLetter,
        ],
    };

    public static readonly ApiOperation Touch = new("touch", "leases", "Extends a lease from now")
    {
        Parameters = [ApiParameters.Receipt, ApiParameters.TouchTtr],
    };

    public static readonly ApiOperation AckMany = new("ackMany", "leases", "Acks many leases")
    {
        Body = ApiBody.Json<LeaseKeyContract[]>(),
        Answers = [ApiAnswer.Json<LeaseResultsContract>()],
    };

    public static readonly ApiOperation ReleaseMany = new("releaseMany", "leases", "Releases many leases")
    {
        Parameters =
        [
            ApiParameters.ReleaseDelay,
            ApiParameters.Backoff,
            ApiParameters.Error,
            ApiParameters.Worker,
            ApiParameters.Unstarted,
            ApiParameters.DeadLetter,
        ],
        Body = ApiBody.Json<LeaseKeyContract[]>(),
        Answers = [ApiAnswer.Json<LeaseResultsContract>()],
    };

    public static readonly ApiOperation TouchMany = new("touchMany", "leases", "Touches many leases")
    {
        Parameters = [ApiParameters.TouchTtr],
        Body = ApiBody.Json<LeaseKeyContract[]>(),
        Answers = [ApiAnswer.Json<LeaseResultsContract>()],
    };

    public static readonly ApiOperation Leave = new(
        "leave", "leases", "Ends a consumer's stream and gives back its messages; those that it had started count as failed attempts")
    {
        Parameters =
        [
            new("consumer", "The token in the first event of the stream.", ApiSchema.Text) { Required = true },
        ],
        Body = ApiBody.Json<LeaseKeyContract[]>() with { Description = "The messages that the consumer has begun to work on; may be "
            + "empty." },
    };
}
