using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Support;
using Xunit;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Rules of the embedded store alone.</summary>
public sealed class EmbeddedQueueTests : IAsyncLifetime
{
    private static readonly QueueName Queue = QueueName.Parse("orders");

    private readonly TemporaryDirectory _directory = new();
    private readonly TestTimeProvider _time = new();
    private readonly RecordingListener _listener = new();
    private readonly EmbeddedMessageStore _store;

    public EmbeddedQueueTests()
    {
        _store = new EmbeddedMessageStore(
            new EmbeddedStoreOptions { DataDirectory = _directory.Path, Durability = Durability.Memory }, _time,
                NullLoggerFactory.Instance);
    }

    public async ValueTask InitializeAsync() => await _store.OpenAsync(_listener, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_deleted_queue_keeps_no_message_though_one_of_them_would_be_due_in_years()
    {
        var sent = await PutAsync("sent");
        _ = await _store.BroadcastAsync(Queue, 1, 100);
        var ready = await PutAsync("ready");
        var later = await PutAsync("later", delay: TimeSpan.FromDays(3660));
        var queue = _store.Find(Queue)!;

        await _store.DeleteQueueAsync(Queue).WithTimeout();

        Assert.All([sent, ready, later], id => Assert.Equal(0, queue.Find(id).Count));
        Assert.Equal(0, queue.ReadHistory(1, 10, 100, out _).Count);
    }

    [Fact]
    public async Task Settings_changed_amid_the_news_of_an_earlier_change_are_told_last()
    {
        await PutAsync("a");
        _ = await _store.LeaseAsync(Queue, new LeaseRequest(1, 100, TimeSpan.FromSeconds(30))).WithTimeout();

        // The end of the lease is found by the change itself, and told before it: at that moment another change comes and is told.
        _time.Stall(TimeSpan.FromSeconds(30));
        _listener.Telling = news =>
        {
            if (news is LeaseEnded)
            {
                _ = _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 7 })
                    .AsTask()
                    .WithTimeout()
                    .GetAwaiter()
                    .GetResult();
            }
        };
        _ = await _store.UpdateSettingsAsync(Queue, new QueueSettingsPatch { MaxAttempts = 6 }).WithTimeout();

        Assert.Equal(7, _listener.News.OfType<SettingsChanged>().Last().Settings.MaxAttempts);
    }

    [Fact]
    public async Task A_message_is_ready_soon_after_its_time_though_the_timer_was_late()
    {
        await PutAsync("later", delay: TimeSpan.FromHours(3));
        _listener.Clear();

        _time.Stall(TimeSpan.FromHours(4));
        _time.Advance(TimeSpan.Zero);

        Assert.Contains(new BecameReady(Queue), _listener.News);
    }

    [Fact]
    public async Task Pages_go_on_where_the_one_before_ended_though_messages_came_and_went_between()
    {
        // Ready ones of several priorities, in order of arrival and between; some of them gone again.
        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var id = await PutAsync($"{i}", random.Next(4) == 0 ? TimeSpan.FromSeconds(random.Next(1, 200)) : null, random.Next(3));
            _time.Advance(TimeSpan.FromSeconds(random.Next(2)));
            _ = random.Next(6) == 0 && (await _store.CancelAsync(Queue, id).WithTimeout()).Value;
        }

        foreach (var state in new[] { MessageState.Ready, MessageState.Delayed })
        {
            var whole = (await _store.BrowseAsync(Queue, state, after: null, 1000).WithTimeout()).Value.Messages;
            var paged = new List<MessageId>();
            string? after = null;
            do
            {
                var page = (await _store.BrowseAsync(Queue, state, after, 7).WithTimeout()).Value;
                paged.AddRange(page.Messages.Select(message => message.Id));
                after = page.Next;
                _ = await _store.CancelAsync(Queue, paged[^1]).WithTimeout();
            }
            while (after is not null);

            Assert.Equal(whole.Select(message => message.Id), paged);
        }
    }

    private async Task<MessageId> PutAsync(string body, TimeSpan? delay = null, int priority = 0)
    {
        var message = new NewMessage
        {
            Body = Encoding.UTF8.GetBytes(body),
            ContentType = "text/plain",
            Priority = priority,
            AvailableAt = delay is { } wait ? _time.GetUtcNow() + wait : null,
        };
        return (await _store.PutAsync(Queue, message).WithTimeout()).Value.Id;
    }
}
