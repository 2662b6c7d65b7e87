using PushQueue.Storage.Log;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Log;

public sealed class FullDiskTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Segment _segment;

    public FullDiskTests()
    {
        _segment = new Segment(1, _directory.File(Segment.FileName(1)));
        _segment.CreateFile();
        RandomAccess.Write(_segment.Handle, "records"u8, 0);
        _segment.Length = 7;
        _segment.FileLength = 7;
    }

    public void Dispose()
    {
        _segment.Close();
        _directory.Dispose();
    }

    [Fact]
    public void The_room_ahead_of_the_log_is_given_up_once_and_not_made_again()
    {
        RoomAhead.Prepare(_segment, end: 8, bytes: 4096);
        Assert.True(new FileInfo(_segment.Path).Length > 4096);

        Assert.True(FullDisk.TryGiveUpRoomAhead(_segment));

        Assert.Equal("records", File.ReadAllText(_segment.Path));
        Assert.False(FullDisk.TryGiveUpRoomAhead(_segment));
        RoomAhead.Prepare(_segment, end: 8, bytes: 4096);
        Assert.Equal(7, new FileInfo(_segment.Path).Length);
    }

    [Fact]
    public void A_segment_without_room_ahead_has_nothing_to_give_up()
    {
        Assert.False(FullDisk.TryGiveUpRoomAhead(null));
        Assert.False(FullDisk.TryGiveUpRoomAhead(_segment));

        _segment.FileLength = 4096;
        _segment.Sealed = true;

        Assert.False(FullDisk.TryGiveUpRoomAhead(_segment));
    }
}
