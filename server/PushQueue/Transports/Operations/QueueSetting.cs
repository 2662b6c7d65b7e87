using PushQueue.Queues;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.Operations;

/// <summary>One of the two settings that have requests and commands of their own: the policy, and whether the queue is stopped.</summary>
internal sealed class QueueSetting
{
    public static readonly QueueSetting Policy = new("policy", static settings => QueueWords.Policy(settings.EffectivePolicy), ReadPolicy);

    public static readonly QueueSetting Status = new("status", static settings => QueueWords.Status(settings), ReadStatus);

    private readonly Func<QueueSettings, string> _tell;
    private readonly Reader _read;

    private QueueSetting(string name, Func<QueueSettings, string> tell, Reader read)
    {
        Name = name;
        _tell = tell;
        _read = read;
    }

    private delegate Problem? Reader(string value, out QueueSettingsPatch patch);

    public string Name { get; }

    public string Of(QueueSettings settings) => _tell(settings);

    public Problem? Read(string value, out QueueSettingsPatch patch) => _read(value, out patch);

    private static Problem? ReadPolicy(string value, out QueueSettingsPatch patch)
    {
        var problem = OptionValues.Policy(value, out var policy);
        patch = new QueueSettingsPatch { Policy = policy };
        return problem;
    }

    private static Problem? ReadStatus(string value, out QueueSettingsPatch patch)
    {
        var problem = OptionValues.Status(value, out var stopped);
        patch = new QueueSettingsPatch { Stopped = stopped };
        return problem;
    }
}
