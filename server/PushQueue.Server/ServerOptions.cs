using System.Globalization;
using System.Net;

namespace PushQueue.Server;

/// <summary>The host's options, each from the command line, else from the environment, else from appsettings.json.</summary>
internal sealed record ServerOptions(
    IPAddress Listen, int Port, string Data, string Durability, string? MaxMessageBytes, bool Open,
    IReadOnlyList<string> AllowedOrigins, IReadOnlyList<string> AllowedHosts)
{
    /// <summary>Reads the options as text and reports everything that is wrong with them at once.</summary>
    public static ServerOptions Read(Func<string, string?> text, List<string> errors)
    {
        var listen = text("listen") ?? "127.0.0.1";
        var port = text("port") ?? "8080";
        var open = text("open") ?? "false";
        if (!TryAddress(listen, out var address))
        {
            errors.Add($"--listen is '{listen}'; give an IP address such as 127.0.0.1, or localhost.");
        }

        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > IPEndPoint.MaxPort)
        {
            errors.Add($"--port is '{port}'; give 0 to {IPEndPoint.MaxPort}, 0 for any free port.");
        }

        if (!bool.TryParse(open, out var isOpen))
        {
            errors.Add($"--open is '{open}'; give true or false.");
        }
        else if (!isOpen && address is not null && !IPAddress.IsLoopback(address))
        {
            errors.Add($"--listen {listen} lets everyone on the network put and take messages; add --open if that is meant.");
        }

        return new ServerOptions(
            address ?? IPAddress.Loopback, number, text("data") ?? "./data", text("durability") ?? "synced", text("max-message-bytes"), isOpen,
            List(text("allow-origin")), List(text("allow-host")));
    }

    public void ApplyTo(PushQueueOptions options, List<string> errors)
    {
        options.Storage.DataDirectory = Data;
        options.Storage.Durability = Durability;
        foreach (var origin in AllowedOrigins)
        {
            options.Security.AllowedOrigins.Add(origin);
        }

        foreach (var host in AllowedHosts)
        {
            options.Security.AllowedHosts.Add(host);
        }

        if (MaxMessageBytes is null)
        {
            return;
        }

        if (int.TryParse(MaxMessageBytes, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
        {
            options.Queues.MessageBytesMax = bytes;
        }
        else
        {
            errors.Add($"--max-message-bytes is '{MaxMessageBytes}'; give a number of bytes.");
        }
    }

    private static string[] List(string? text) => text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static bool TryAddress(string text, out IPAddress? address)
    {
        address = text == "localhost" ? IPAddress.Loopback : null;
        return address is not null || IPAddress.TryParse(text, out address);
    }
}
