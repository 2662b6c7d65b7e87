using System.Text.Json;
using PushQueue.Transports.Json;

namespace PushQueue.Transports.OpenApi;

/// <summary>The operations of the tag commands.</summary>
internal static class CommandOperations
{
    public static readonly ApiOperation Command = new("command", "commands", "Executes one command of the JSON protocol")
    {
        Body = ApiBody.Json<CommandContract>(),
        Error = typeof(CommandErrorContract),
        Answers = [ApiAnswer.Json<JsonElement>()],
    };
}
