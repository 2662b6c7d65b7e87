using System.Text.Json.Serialization;
using PushQueue.Delivery.Encoding;

namespace PushQueue.Transports.Json;

/// <summary>
/// Writes the contracts of the control plane, and reads those that nodes send to each other. Messages are not here: their bodies are copied
/// as they are, by <c>MessageJson</c> and <c>Envelope</c>.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    MaxDepth = JsonDepth.Max,
    Converters = [typeof(TimeConverter), typeof(MessageIdConverter)])]
[JsonSerializable(typeof(QueueContract))]
[JsonSerializable(typeof(QueuePageContract))]
[JsonSerializable(typeof(KeyPageContract))]
[JsonSerializable(typeof(SettingsContract))]
[JsonSerializable(typeof(PolicyContract))]
[JsonSerializable(typeof(StatusContract))]
[JsonSerializable(typeof(PurgedContract))]
[JsonSerializable(typeof(ReplayedContract))]
[JsonSerializable(typeof(ConsumersContract))]
[JsonSerializable(typeof(ConsumerContract[]))]
[JsonSerializable(typeof(WorkersContract))]
[JsonSerializable(typeof(WorkerContract[]))]
[JsonSerializable(typeof(NodesContract))]
[JsonSerializable(typeof(EventsContract))]
[JsonSerializable(typeof(StatsContract))]
[JsonSerializable(typeof(LeaseResultsContract))]
[JsonSerializable(typeof(ProblemContract))]
[JsonSerializable(typeof(TokenContract))]
[JsonSerializable(typeof(TokenRequestContract))]
[JsonSerializable(typeof(CallerAccessContract))]
[JsonSerializable(typeof(QueueAccessContract))]
[JsonSerializable(typeof(TailEventsContract))]
[JsonSerializable(typeof(TailNoticeContract))]
[JsonSerializable(typeof(PresenceContract))]
[JsonSerializable(typeof(PresentConsumerContract[]))]
[JsonSerializable(typeof(OverviewContract))]
[JsonSerializable(typeof(WatchedQueueContract))]
[JsonSerializable(typeof(ListenersContract))]
[JsonSerializable(typeof(WatchedNodesContract))]
[JsonSerializable(typeof(Dictionary<string, int>))]
[JsonSerializable(typeof(PutContract))]
[JsonSerializable(typeof(PutManyContract))]
[JsonSerializable(typeof(PutEnvelopeContract[]))]
[JsonSerializable(typeof(EnvelopeContract[]))]
[JsonSerializable(typeof(MessageContract))]
[JsonSerializable(typeof(MessagePageContract))]
[JsonSerializable(typeof(LeaseKeyContract[]))]
[JsonSerializable(typeof(SettingsPatchContract))]
[JsonSerializable(typeof(PolicyFieldContract))]
[JsonSerializable(typeof(StatusFieldContract))]
[JsonSerializable(typeof(CommandContract))]
[JsonSerializable(typeof(CommandErrorContract))]
internal sealed partial class ContractContext : JsonSerializerContext;
