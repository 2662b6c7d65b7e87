using System.Net;
using Microsoft.AspNetCore.Http;
using PushQueue.Delivery;
using PushQueue.Tests.Support;
using PushQueue.Transports.Framing;
using PushQueue.Transports.Streaming;
using Xunit;

namespace PushQueue.Tests.Transports;

/// <summary>Consumers are listed by address while their requests end.</summary>
public sealed class RemoteAddressTests
{
    [Fact]
    public void An_address_can_be_told_when_the_request_has_ended()
    {
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        var connections = new IConsumerConnection[]
        {
            new WebSocketConnection(http, new AllRights(), new CoarseClock(), TimeProvider.System, multiplexed: false),
            new HttpStreamConnection(http, "sse", WebSocketFormat.Envelopes, new AllRights()),
        };

        http.Uninitialize();

        Assert.All(connections, connection => Assert.Equal("127.0.0.1", connection.RemoteAddress));
    }
}
