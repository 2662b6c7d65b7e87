using PushQueue.Queues;
using PushQueue.Storage.Embedded;
using PushQueue.Tests.Contracts;
using PushQueue.Tests.Support;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Segments and cache are tiny, so that sequences run through new segments, cleaning and bodies read back from disk.</summary>
public sealed class EmbeddedMessageStoreModelTests : MessageStoreModelTests
{
    private readonly VerifyingLogger _log = new();

    private protected override (Func<TestTimeProvider, IMessageStore> Create, IDisposable Data) NewData()
    {
        var directory = new TemporaryDirectory();
        var options = new EmbeddedStoreOptions
        {
            DataDirectory = directory.Path,
            Durability = Durability.Memory,
            SegmentBytes = 600,
            CacheBytesMax = 40,
        };
        return (time => new EmbeddedMessageStore(options, time, _log), directory);
    }
}
