using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace PushQueue.Server;

/// <summary>
/// Sends metrics and traces to a collector by OTLP, where one is configured; else nothing here runs and nobody listens to spans. Everything
/// except the address is set by OpenTelemetry's own variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER, OTEL_METRIC_EXPORT_INTERVAL …).
/// </summary>
internal static class Telemetry
{
    private const string Source = "PushQueue";

    /// <summary>The server's own spans of requests, to which those of messages are linked.</summary>
    private const string RequestSource = "Microsoft.AspNetCore";

    /// <summary>A collector that is gone must not hold up the server's end.</summary>
    private const int ExportTimeoutMs = 3000;

    public static void AddTelemetry(this IServiceCollection services, Uri? collector)
    {
        if (collector is null)
        {
            return;
        }

        services.AddSingleton(_ => Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(Describe)
            .AddSource(Source, RequestSource)
            .AddOtlpExporter(exporter => Send(exporter, collector, "v1/traces"))
            .Build());
        services.AddSingleton(_ => Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(Describe)
            .AddMeter(Source, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddOtlpExporter(exporter => Send(exporter, collector, "v1/metrics"))
            .Build());
    }

    /// <summary>Begins to listen. The rest is sent when the server has stopped, while all instruments still are.</summary>
    public static void StartTelemetry(this IServiceProvider services)
    {
        var traces = services.GetService<TracerProvider>();
        var metrics = services.GetService<MeterProvider>();
        services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopped.Register(() =>
        {
            _ = traces?.ForceFlush(ExportTimeoutMs);
            _ = metrics?.ForceFlush(ExportTimeoutMs);
        });
    }

    private static void Describe(ResourceBuilder resource) =>
        resource.AddService("pushqueue", serviceInstanceId: $"{Environment.MachineName}-{Environment.ProcessId}")
            .AddEnvironmentVariableDetector();

    private static void Send(OtlpExporterOptions exporter, Uri collector, string path)
    {
        exporter.TimeoutMilliseconds = ExportTimeoutMs;
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc")
        {
            exporter.Protocol = OtlpExportProtocol.Grpc;
            exporter.Endpoint = collector;
            return;
        }

        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri($"{collector.ToString().TrimEnd('/')}/{path}");
    }
}
