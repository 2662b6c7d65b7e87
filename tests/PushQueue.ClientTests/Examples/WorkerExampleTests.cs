using System.Text.Json;
using PushQueue.Client;
using PushQueue.ClientTests.Support;
using PushQueue.SystemTests.Support;
using Xunit;

namespace PushQueue.ClientTests.Examples;

/// <summary>Runs the example as its page says.</summary>
public sealed class WorkerExampleTests : NodeTests
{
    [Fact]
    public async Task The_worker_counts_words_and_gives_up_what_has_none()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var assembly = Path.Combine(own.Parent!.Parent!.FullName, "WordWorker", own.Name, "WordWorker.dll");
        using var worker = ToolProcess.Start(Path.GetTempPath(), "dotnet", assembly, Node.Proxy.Address.AbsoluteUri);
        worker.OutputDataReceived += (_, _) => { };
        worker.ErrorDataReceived += (_, _) => { };
        worker.BeginOutputReadLine();
        worker.BeginErrorReadLine();
        try
        {
            await Node.Client.PutAsync("texts", "three little words").WithTimeout();
            await Node.Client.PutAsync("texts", "  ").WithTimeout();

            var count = await Node.Client.TakeAsync("counts", wait: TimeSpan.FromSeconds(50)).WithTimeout();
            var dead = await Node.Client.TakeAsync("texts.dead", wait: TimeSpan.FromSeconds(50)).WithTimeout();

            using var json = JsonDocument.Parse(count!.Text);
            Assert.Equal(3, json.RootElement.GetProperty("words").GetInt32());
            Assert.Equal("  ", dead?.Text);
        }
        finally
        {
            worker.Kill(entireProcessTree: true);
            await worker.WaitForExitAsync().WithTimeout();
        }
    }
}
