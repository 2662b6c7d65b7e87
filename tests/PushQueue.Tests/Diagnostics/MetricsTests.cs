using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Diagnostics;

public sealed class MetricsTests
{
    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_the_metrics()
    {
        await using var server = await PushQueueServer.StartAsync();
        await server.PostAsync("/q/" + Uri.EscapeDataString("odd \"name\" \\ with é {a=\"b\"}"), "x");
        await UseEverythingAsync(server);

        var (exitCode, output) = await PromtoolAsync((await server.GetAsync("/metrics")).Text, "check", "metrics");

        Assert.True(exitCode == 0, output);
        Assert.Equal("", output);
    }

    [Fact]
    public async Task The_alerts_of_the_documentation_are_rules_over_metrics_that_exist()
    {
        await using var server = await PushQueueServer.StartAsync();
        using var stream = await server.Client.GetAsync("/c/news", HttpCompletionOption.ResponseHeadersRead);
        var rules = await AlertRulesAsync();
        using var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(folder.File("rules.yml"), rules);

        var (exitCode, output) = await PromtoolAsync("", "check", "rules", folder.File("rules.yml"));

        Assert.True(exitCode == 0, output);
        var metrics = (await server.GetAsync("/metrics")).Text;
        var named = Regex.Matches(
            rules,
            "pushqueue_[a-z_]+",
            RegexOptions.None,
            TimeSpan.FromSeconds(1)).Select(static match => match.Value);
        Assert.All(named, name => Assert.True(metrics.Contains("\n" + name, StringComparison.Ordinal), name));
    }

    [Fact]
    public async Task Alerts_on_waiting_messages_fire_for_a_backlog_and_not_for_resting_dead_letters()
    {
        using var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(folder.File("rules.yml"), await AlertRulesAsync());
        await File.WriteAllTextAsync(folder.File("test.yml"), """
            rule_files: [rules.yml]
            evaluation_interval: 1m
            tests:
              - interval: 1m
                input_series:
                  - {series: 'pushqueue_consumers{instance="a"}', values: 0x60}
                  - {series: 'pushqueue_queue_oldest_age_seconds{instance="a", queue="stuck"}', values: 0+60x60}
                  - {series: 'pushqueue_queue_oldest_age_seconds{instance="a", queue="stuck.dead"}', values: 0+60x60}
                  - {series: 'pushqueue_queue_messages{instance="a", queue="stuck", state="ready"}', values: 7x60}
                  - {series: 'pushqueue_queue_messages{instance="a", queue="stuck.dead", state="ready"}', values: 7x60}
                  - {series: 'pushqueue_queue_messages{instance="a", queue="taken", state="ready"}', values: 7x60}
                  - {series: 'pushqueue_queue_delivered_total{instance="a", queue="stuck"}', values: 5x60}
                  - {series: 'pushqueue_queue_delivered_total{instance="a", queue="stuck.dead"}', values: 0x60}
                  - {series: 'pushqueue_queue_delivered_total{instance="a", queue="taken"}', values: 0+9x60}
                alert_rule_test:
                  - eval_time: 40m
                    alertname: PushQueueBacklogOld
                    exp_alerts: [{exp_labels: {instance: a, queue: stuck}}]
                  - eval_time: 40m
                    alertname: PushQueueNobodyListens
                    exp_alerts: [{exp_labels: {instance: a, queue: stuck, state: ready}}]
            """);

        var (exitCode, output) = await PromtoolAsync("", "test", "rules", folder.File("test.yml"));

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task The_documentation_lists_every_metric_with_its_labels_and_no_other()
    {
        await using var server = await PushQueueServer.StartAsync(static options => options.Storage.Durability = "synced");
        using var stream = await server.Client.GetAsync("/c/news", HttpCompletionOption.ResponseHeadersRead);
        await UseEverythingAsync(server);
        Assert.Equal(413, (await server.PostAsync("/q/work", new string('x', 2 * 1024 * 1024))).Status);
        var text = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "OPERATIONS.md"));
        var documented = text.Split("## Metrics")[1]
            .Split("###")[0]
            .Split('\n')
            .Where(static line => line.StartsWith("| `pushqueue_", StringComparison.Ordinal))
            .Select(static line => line.Split('|'))
                .Select(static cells => $"{Ticked(cells[1])}: {Ticked(cells[2])}")
                .Order(StringComparer.Ordinal);

        var lines = (await server.GetAsync("/metrics")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var real = lines.Where(
            static line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(static line => line.Split(' ')[2])
            .Select(name => $"{name}: {LabelsOf(lines, name)}").Order(StringComparer.Ordinal);

        Assert.Equal(documented, real);

        static string Ticked(string cell) => string.Join(", ", cell.Split('`').Where(static (_, index) => index % 2 == 1));
        static string LabelsOf(string[] lines, string name) => string.Join(
            ", ",
            lines.Where(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length..] is ['{' or ' ', ..])
                .Take(1).SelectMany(
                    static line =>
                        Regex.Matches(
                            line,
                            "(?<label>[a-z]+)=\"",
                            RegexOptions.ExplicitCapture,
                            TimeSpan.FromSeconds(1)).Select(static match => match.Groups["label"].Value)));
    }

    [Fact]
    public async Task Each_operation_is_counted()
    {
        await using var server = await PushQueueServer.StartAsync();
        await UseEverythingAsync(server);

        var metrics = await ReadAsync(server);

        Assert.Equal(5, metrics["pushqueue_messages_put_total"]);
        Assert.Equal(1, metrics["pushqueue_messages_duplicate_total"]);
        Assert.Equal(1, metrics["pushqueue_messages_taken_total"]);
        Assert.Equal(2, metrics["pushqueue_messages_leased_total"]);
        Assert.Equal(1, metrics["pushqueue_messages_acked_total"]);
        Assert.Equal(1, metrics["pushqueue_messages_released_total"]);
        Assert.Equal(1, metrics["pushqueue_leases_lost_total"]);
        Assert.Equal(1, metrics["pushqueue_puts_refused_total{reason=\"queue-full\"}"]);
        Assert.Equal(1, metrics["pushqueue_queues"] - 1);
        Assert.Equal(1, metrics["pushqueue_store_available"]);
        Assert.True(metrics["pushqueue_store_used_bytes"] > 0);
    }

    [Fact]
    public async Task Depth_is_told_by_queue_and_state()
    {
        await using var server = await PushQueueServer.StartAsync();
        await server.PostAsync("/q/work", "a");
        await server.PostAsync("/q/work", "b");
        await server.PostAsync("/q/work?delay=1h", "c");
        await server.GetAsync("/q/work?ttr=60");

        var metrics = await ReadAsync(server);

        Assert.Equal(1, metrics["pushqueue_queue_messages{queue=\"work\",state=\"ready\"}"]);
        Assert.Equal(1, metrics["pushqueue_queue_messages{queue=\"work\",state=\"delayed\"}"]);
        Assert.Equal(1, metrics["pushqueue_queue_messages{queue=\"work\",state=\"leased\"}"]);
        Assert.Equal(3, metrics["pushqueue_queue_size_bytes{queue=\"work\"}"]);
        Assert.Equal(3, metrics["pushqueue_queue_put_total{queue=\"work\"}"]);
    }

    [Fact]
    public async Task Queues_beyond_the_limit_share_one_series_whose_counters_never_fall()
    {
        await using var server = await PushQueueServer.StartAsync(options => options.Diagnostics.QueueSeriesMax = 1);
        foreach (var queue in (string[])["a", "b", "c"])
        {
            await server.PostAsync($"/q/{queue}", "x");
        }

        var before = await ReadAsync(server);
        await server.SendAsync("DELETE", "/q/b");
        var after = await ReadAsync(server);

        Assert.Equal(1, before["pushqueue_queue_put_total{queue=\"a\"}"]);
        Assert.Equal(2, before["pushqueue_queue_put_total{queue=\"/other\"}"]);
        Assert.Equal(2, before["pushqueue_queue_messages{queue=\"/other\",state=\"ready\"}"]);
        Assert.Equal(2, after["pushqueue_queue_put_total{queue=\"/other\"}"]);
        Assert.Equal(1, after["pushqueue_queue_messages{queue=\"/other\",state=\"ready\"}"]);
        Assert.DoesNotContain(before.Keys, key => key.Contains("queue=\"b\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_deleted_queue_leaves_no_series_behind()
    {
        await using var server = await PushQueueServer.StartAsync();
        await server.PostAsync("/q/gone", "x");
        Assert.Contains("queue=\"gone\"", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);

        await server.SendAsync("DELETE", "/q/gone");

        Assert.DoesNotContain("queue=\"gone\"", (await server.GetAsync("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pushed_messages_connections_and_flushes_are_counted()
    {
        await using var server = await PushQueueServer.StartAsync(options => options.Storage.Durability = "synced");
        using var stream = await server.Client.GetAsync("/c/news", HttpCompletionOption.ResponseHeadersRead);
        await server.PostAsync("/q/news", "x");
        using var reader = new StreamLines(await stream.Content.ReadAsStreamAsync());
        await reader.ReadLineAsync().WithTimeout();

        // Counted behind the round that wrote it.
        await Eventually.TrueAsync(
            async () => (await ReadAsync(server))["pushqueue_messages_delivered_total"] == 1,
            "the round is counted");
        var metrics = await ReadAsync(server);

        Assert.Equal(1, metrics["pushqueue_consumers"]);
        Assert.Equal(1, metrics.Single(pair => pair.Key.StartsWith("pushqueue_connections{", StringComparison.Ordinal)).Value);
        Assert.True(metrics["pushqueue_store_flush_duration_seconds_count"] > 0);
        Assert.Equal(
            metrics["pushqueue_store_flush_duration_seconds_count"],
            metrics["pushqueue_store_flush_duration_seconds_bucket{le=\"+Inf\"}"]);
    }

    private static async Task UseEverythingAsync(PushQueueServer server)
    {
        await server.SendAsync("PATCH", "/q/full/settings", "{\"maxMessages\":1}");
        await server.PostAsync("/q/full", "x");
        Assert.Equal(429, (await server.PostAsync("/q/full", "y")).Status);
        await server.PostAsync("/q/work?id=a", "x");
        await server.PostAsync("/q/work?id=a", "x");
        await server.PostAsync("/q/work/batch", "1\n2\n3\n");
        await server.GetAsync("/q/work");
        await LeaseAsync(server, "ack");
        await LeaseAsync(server, "release");
        Assert.Equal(409, (await server.PostAsync("/q/work/messages/3/ack?receipt=0123456789abcdef")).Status);
    }

    private static async Task LeaseAsync(PushQueueServer server, string end)
    {
        using var lease = await server.Client.GetAsync("/q/work?ttr=60");
        var id = lease.Headers.GetValues("PushQueue-Id").Single();
        var receipt = lease.Headers.GetValues("PushQueue-Receipt").Single();
        Assert.Equal(
            204,
            (await server.PostAsync($"/q/work/messages/{id}/{end}?receipt={receipt}&{(end == "ack" ? "" : "delay=1h")}")).Status);
    }

    private static async Task<Dictionary<string, double>> ReadAsync(PushQueueServer server) =>
        (await server.GetAsync("/metrics")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith('#'))
            .ToDictionary(
                line => line[..line.LastIndexOf(' ')],
                line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture),
                StringComparer.Ordinal);

    private static async Task<string> AlertRulesAsync() =>
        (await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "OPERATIONS.md"))).Split("```yaml\n")[1].Split("```")[0];

    private static async Task<(int ExitCode, string Output)> PromtoolAsync(string input, params string[] arguments)
    {
        using var promtool = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = promtool.StandardOutput.ReadToEndAsync();
        var errors = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(input);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync().WithTimeout();
        return (promtool.ExitCode, await output + await errors);
    }
}
