using System.Text;
using PushQueue.Storage.Log;

namespace PushQueue.Tests.Storage.Embedded;

/// <summary>Spoils a data folder in one or two random ways, which a seed repeats.</summary>
internal sealed class DataFolderMutator
{
    private readonly LogFolder _original;
    private readonly Random _random;
    private readonly bool _stopped;
    private readonly int _times;
    private readonly List<string> _done = [];
    private string _path = "";
    private bool _stopMarkIsGone;

    public DataFolderMutator(int seed, LogFolder original)
    {
        _original = original;
        _random = new Random(seed);
        _stopped = _random.Next(2) == 0;
        _times = _random.Next(4) == 0 ? 2 : 1;
    }

    public string Source => _stopped ? _original.Stopped : _original.Crashed;

    public override string ToString() => $"{(_stopped ? "stopped" : "crashed")}: {string.Join("; ", _done)}";

    public void Spoil(string path)
    {
        _path = path;
        for (var i = 0; i < _times; i++)
        {
            _done.Add(Once());
        }
    }

    /// <summary>
    /// Whether these messages stand in the last segment of a killed process. A crash a moment earlier could have left the folder without
    /// them: a cut between two records cannot be told from such a crash, and a batch without its end was never answered.
    /// </summary>
    public bool MayBeTorn(IReadOnlyList<string> lost)
    {
        var last = File.ReadAllBytes(LogFolder.Segments(Source)[^1]);
        return (!_stopped || _stopMarkIsGone) && lost.All(body => last.AsSpan().IndexOf(_original.RecordOf(body)) >= 0);
    }

    private string Once()
    {
        var segments = LogFolder.Segments(_path).FindAll(static file => new FileInfo(file).LinkTarget is null);
        if (segments.Count == 0)
        {
            return "nothing is left";
        }

        var file = segments[_random.Next(segments.Count)];
        var other = segments[_random.Next(segments.Count)];
        var name = Path.GetFileName(file);
        var bytes = File.ReadAllBytes(file);
        if (bytes.Length == 0)
        {
            File.Delete(file);
            return $"deleted {name}";
        }

        switch (_random.Next(20))
        {
            case 0 or 1 or 2:
                return Flip(file, bytes, 1);
            case 3:
                return Flip(file, bytes, 5);
            case 4:
                return Cut(file, _random.Next(bytes.Length));
            case 5 or 6:
                var records = LogFolder.RecordsIn(bytes);
                return Cut(file, records[_random.Next(records.Count)].Offset);
            case 7:
                return Cut(file, 0);
            case 8:
                File.Delete(file);
                return $"deleted {name}";
            case 9:
                var (from, length) = (_random.Next(bytes.Length), _random.Next(1, 2000));
                bytes.AsSpan(from, Math.Min(length, bytes.Length - from)).Clear();
                File.WriteAllBytes(file, bytes);
                return $"zeros in {name} at {from}";
            case 10:
                File.AppendAllText(file, new string('j', _random.Next(1, 500)));
                return $"junk behind {name}";
            case 11:
                var copy = NumberedFile(segments.Count + _random.Next(1, 50));
                File.Copy(file, copy, overwrite: true);
                return $"copied {name} to {Path.GetFileName(copy)}";
            case 12:
                File.WriteAllBytes(other, bytes);
                return $"copied {name} over {Path.GetFileName(other)}";
            case 13:
                File.WriteAllBytes(file, File.ReadAllBytes(other));
                File.WriteAllBytes(other, bytes);
                return $"swapped {name} and {Path.GetFileName(other)}";
            case 14:
                var target = NumberedFile(segments.Count + _random.Next(1, 50));
                File.Move(file, target, overwrite: true);
                return $"renamed {name} to {Path.GetFileName(target)}";
            case 15:
                File.Move(file, Path.Combine(_path, $"segment-{_random.Next(100)}.log"), overwrite: true);
                return $"renamed {name} to a short name";
            case 16:
                return Foreign(segments);
            case 17:
                return Junk(segments.Count);
            case 18:
                return Entry(segments);
            default:
                return Mark();
        }
    }

    private string Flip(string file, byte[] bytes, int times)
    {
        var at = new List<int>();
        for (var i = 0; i < times; i++)
        {
            at.Add(_random.Next(bytes.Length));
            bytes[at[^1]] ^= (byte)(1 << _random.Next(8));
        }

        File.WriteAllBytes(file, bytes);
        return $"flipped bits of {Path.GetFileName(file)} at {string.Join(", ", at)}";
    }

    private static string Cut(string file, int length)
    {
        using var stream = File.OpenWrite(file);
        stream.SetLength(length);
        return $"cut {Path.GetFileName(file)} at {length}";
    }

    private string Foreign(List<string> segments)
    {
        var foreign = LogFolder.Segments(_original.Foreign);
        var from = foreign[_random.Next(foreign.Count)];
        var to = NumberedFile(_random.Next(1, segments.Count + 5));
        File.Copy(from, to, overwrite: true);
        return $"{Path.GetFileName(from)} of another store as {Path.GetFileName(to)}";
    }

    private string Junk(int count)
    {
        string[] names =
        [
            "segment-7.log", "segment-20261130.log", "segment-2147483647.log", "segment-9999999999.log", "segment-.log",
                "segment-0000000009.log.old",
            Segment.FileName(count + 1), Segment.FileName(count + 2), "notes.txt",
        ];
        var name = names[_random.Next(names.Length)];
        var content = new byte[_random.Next(4) == 0 ? 0 : _random.Next(5000)];
        if (_random.Next(3) > 0)
        {
            _random.NextBytes(content);
        }

        File.WriteAllBytes(Path.Combine(_path, name), content);
        return $"{content.Length} bytes of junk as {name}";
    }

    private string Entry(List<string> segments)
    {
        var path = NumberedFile(segments.Count + _random.Next(1, 4));
        if (Path.Exists(path))
        {
            return "nothing";
        }

        if (_random.Next(2) == 0)
        {
            Directory.CreateDirectory(path);
            return $"a folder {Path.GetFileName(path)}";
        }

        File.CreateSymbolicLink(path, _random.Next(2) == 0 ? segments[0] : "/nowhere");
        return $"a link {Path.GetFileName(path)}";
    }

    /// <summary>Without the mark of a stop a stop looks like a crash.</summary>
    private string Mark()
    {
        string[] names = ["store", "stopped", "reserve"];
        var name = names[_random.Next(names.Length)];
        var path = Path.Combine(_path, name);
        _stopMarkIsGone |= name != "reserve";
        if (!File.Exists(path) || _random.Next(2) == 0)
        {
            File.Delete(path);
            return $"deleted {name}";
        }

        var bytes = Encoding.UTF8.GetBytes("junk");
        File.WriteAllBytes(path, bytes);
        return $"junk as {name}";
    }

    private string NumberedFile(int number) => Path.Combine(_path, Segment.FileName(number));
}
