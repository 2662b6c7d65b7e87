using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using PushQueue.Security;

namespace PushQueue.Benchmarks;

/// <summary>
/// A put over REST from the first middleware to the answer: routing, authorization by key, reading the body, the store. Without a web
/// server and without a socket. The queue keeps one message, so that it does not grow.
/// </summary>
public class RequestBenchmarks
{
    private const int Operations = 4096;

    private readonly byte[] _body = new byte[100];
    private BenchmarkServer _server = null!;
    private string _authorization = "";

    [GlobalSetup]
    public void Start()
    {
        var (key, text) = AccessKey.Create("benchmark");
        key = key with { Grants = [new AccessGrant(["*"], Permissions.Put)] };
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("keys");
            AccessFile.Write(writer, key);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        _authorization = $"Bearer {text}";
        _server = BenchmarkServer.Start(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }

    [GlobalCleanup]
    public void Stop() => _server.Stop();

    [IterationCleanup]
    public void Empty() => _ = _server.Broker.PurgeAsync(Queues.QueueName.Parse("benchmark")).AsTask().GetAwaiter().GetResult();

    [Benchmark(OperationsPerInvoke = Operations)]
    public async Task RouteAuthorizeAndPut()
    {
        for (var i = 0; i < Operations; i++)
        {
            var features = new FeatureCollection();
            var response = new HttpResponseFeature();
            var request = new HttpRequestFeature
            {
                Method = "POST", Scheme = "http", Protocol = "HTTP/1.1",
                Path = "/q/benchmark", RawTarget = "/q/benchmark", Body = new MemoryStream(_body),
            };
            request.Headers.Host = "localhost";
            request.Headers.Authorization = _authorization;
            request.Headers.ContentType = "application/octet-stream";
            request.Headers.ContentLength = _body.Length;
            features.Set<IHttpRequestFeature>(request);
            features.Set<IHttpResponseFeature>(response);
            features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
            features.Set<IHttpRequestBodyDetectionFeature>(HasBody.Instance);
            await _server.ProcessAsync(features);
            if (response.StatusCode != StatusCodes.Status201Created)
            {
                throw new InvalidOperationException($"The put was answered {response.StatusCode}, so its time says nothing.");
            }
        }
    }

    private sealed class HasBody : IHttpRequestBodyDetectionFeature
    {
        public static HasBody Instance { get; } = new();

        public bool CanHaveBody => true;
    }
}
