using System.Text;
using PushQueue.Tests.Support;
using PushQueue.Transports.SignalR;
using Xunit;

namespace PushQueue.Tests.Transports;

public sealed class ItemHandoverTests
{
    private static readonly EncodedItem Item = new(Encoding.UTF8.GetBytes("{}"));

    [Fact]
    public async Task An_item_is_written_when_the_reader_comes_for_the_next()
    {
        var items = new ItemHandover();
        var write = items.WriteAsync(Item).AsTask();
        Assert.True(await items.WaitToReadAsync().WithTimeout());
        Assert.True(items.TryRead(out _));
        Assert.False(write.IsCompleted);

        Assert.False(items.TryRead(out _));

        await write.WithTimeout();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_item_that_the_reader_left_was_not_written(bool taken)
    {
        var items = new ItemHandover();
        var write = items.WriteAsync(Item).AsTask();
        Assert.True(!taken || items.TryRead(out _));

        items.End();

        await Assert.ThrowsAsync<IOException>(() => write.WithTimeout());
        await Assert.ThrowsAsync<IOException>(() => items.WriteAsync(Item).WithTimeout());
    }
}
