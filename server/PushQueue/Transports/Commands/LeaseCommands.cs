using System.Text.Json;
using PushQueue.Queues;
using PushQueue.Transports.Json;
using PushQueue.Transports.Operations;

namespace PushQueue.Transports.Commands;

/// <summary>The commands that settle leases: each takes one lease (id, receipt) or many (items).</summary>
internal sealed class LeaseCommands(OperationExecutor operations)
{
    private const string KeyNames = "id, receipt, items";

    public async ValueTask<CommandResult> SettleAsync(Settlement settlement, CommandFrame frame, QueueName queue)
    {
        var source = new FrameOptions(frame, KeyNames);
        if (Problem.First(LeaseOptions.Read(ref source, settlement.Options, out var options), ReadKeys(frame, out var keys)) is { } problem)
        {
            return CommandAnswer.Error(frame, problem);
        }

        if (!frame.Has("items"))
        {
            return await operations.SettleOneAsync(settlement, queue, keys[0], options) is { } refusal
                ? CommandAnswer.Error(frame, refusal)
                : CommandAnswer.OfMessage(frame, queue, keys[0].Id);
        }

        var errors = await operations.SettleAsync(settlement, queue, keys, options);
        var json = CommandAnswer.Begin(frame);
        json.Writer.WriteString("queue"u8, queue.Value);
        json.Writer.WritePropertyName("results"u8);
        JsonSerializer.Serialize(json.Writer, LeaseKeysJson.Results(keys, errors), ContractContext.Default.LeaseResultContractArray);
        return CommandAnswer.End(json);
    }

    private static Problem? ReadKeys(CommandFrame frame, out List<LeaseKey> keys)
    {
        keys = [];
        if (frame.Has("items"))
        {
            return frame.Has("id") || frame.Has("receipt")
                ? Problem.BadOption("Give either 'items', or 'id' and 'receipt'.")
                : LeaseKeysJson.Read(frame.Raw("items"), out keys);
        }

        if (Problem.First(frame.Id(required: true, out var id), frame.Text("receipt", required: true, out var text)) is { } problem)
        {
            return problem;
        }

        if (OptionValues.Receipt(text!, out var receipt) is { } wrong)
        {
            return wrong;
        }

        keys.Add(new LeaseKey(id!.Value, receipt));
        return null;
    }
}
