using System.Buffers.Binary;

namespace PushQueue.SystemTests.Fuzzing;

/// <summary>Makes WebSocket handshakes and frames, valid or broken.</summary>
internal sealed class FuzzFrames(FuzzValues values)
{
    private Random Random => values.Random;

    /// <summary>The request that opens a WebSocket; hostFields are those of <see cref="FuzzKeys.HostFields"/>.</summary>
    public byte[] Handshake(string target, string hostFields)
    {
        var version = !values.Odd(2) ? "13" : values.Pick(["12", "", "13, 12"]);
        var key = !values.Odd(2) ? "dGhlIHNhbXBsZSBub25jZQ==" : values.Text();
        var protocol = values.Chance(20)
            ? $"Sec-WebSocket-Protocol: {values.Pick(["pushqueue", "x", "pushqueue, x", "mqtt", ""])}\r\n"
            : "";
        return FuzzBodies.Bytes(
            $"GET {target} HTTP/1.1\r\n{hostFields}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: {version}\r\n"
            + $"Sec-WebSocket-Key: {key}\r\n{protocol}\r\n");
    }

    /// <summary>A message, in one frame or in fragments, mostly as the protocol demands it.</summary>
    public byte[] Message(byte[] payload)
    {
        if (values.Chance(85))
        {
            return Frame(opcode: values.Odd(3) ? 2 : 1, final: true, payload);
        }

        var bytes = new List<byte>();
        var opcode = 1;
        for (var at = 0; ;)
        {
            var length = Random.Next(payload.Length - at + 1);
            var final = at + length == payload.Length && !values.Odd(10);
            bytes.AddRange(Frame(opcode, final, payload[at..(at + length)]));
            if (values.Chance(10))
            {
                bytes.AddRange(Control());
            }

            at += length;
            opcode = values.Odd(3) ? 1 : 0;
            if (final || bytes.Count > 100_000)
            {
                return [.. bytes];
            }
        }
    }

    /// <summary>A ping, a pong, a close, or something that no frame may be.</summary>
    public byte[] Control()
    {
        switch (Random.Next(5))
        {
            case 0:
                return Frame(9, final: true, FuzzBodies.Bytes("ping"));
            case 1:
                return Frame(10, final: true, []);
            case 2:
                var close = new byte[values.Chance(80) ? 2 : Random.Next(130)];
                if (close.Length >= 2)
                {
                    var code = values.Pick([1000, 1001, 1002, 999, 1004, 1005, 1006, 2999, 3000, 4999, 5000, 65535]);
                    BinaryPrimitives.WriteUInt16BigEndian(close, (ushort)code);
                }

                return Frame(8, final: true, close);
            case 3:
                return Frame(Random.Next(16), values.Chance(50), new byte[Random.Next(200)]);
            default:
                return Frame(9, final: false, new byte[126]);
        }
    }

    public byte[] Frame(int opcode, bool final, byte[] payload)
    {
        var frame = new List<byte> { (byte)((final ? 0x80 : 0) | opcode | (values.Odd(1) ? Random.Next(8) << 4 : 0)) };
        var masked = !values.Odd(1);
        var mask = masked ? 0x80 : 0;
        var length = (long)payload.Length;
        if (values.Odd(2))
        {
            length = values.Pick([0L, length + 10, 65536, int.MaxValue, 1L << 32, long.MaxValue, -1]);
        }

        if (length is >= 0 and < 126 && !values.Odd(1))
        {
            frame.Add((byte)(mask | (int)length));
        }
        else if (length is >= 0 and < 65536 && !values.Odd(2))
        {
            frame.Add((byte)(mask | 126));
            frame.AddRange([(byte)(length >> 8), (byte)length]);
        }
        else
        {
            frame.Add((byte)(mask | 127));
            var wide = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(wide, length);
            frame.AddRange(wide);
        }

        if (!masked)
        {
            return [.. frame, .. payload];
        }

        // A mask of zeros keeps most frames legible in the report of a finding.
        var key = new byte[4];
        if (values.Chance(10))
        {
            Random.NextBytes(key);
        }

        frame.AddRange(key);
        for (var i = 0; i < payload.Length; i++)
        {
            frame.Add((byte)(payload[i] ^ key[i % 4]));
        }

        return [.. frame];
    }
}
