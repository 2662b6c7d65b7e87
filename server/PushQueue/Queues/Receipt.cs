using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace PushQueue.Queues;

/// <summary>
/// Proof of the current lease of a message: 64 random bits that change with every lease, so that a worker whose lease has ended
/// cannot ack what another holds now. Written as 16 hexadecimal digits.
/// </summary>
internal readonly record struct Receipt(ulong Value)
{
    // A call to the generator costs as much for a page of receipts as for one.
    private const int DrawnTogether = 64;

    [ThreadStatic]
    private static ulong[]? _drawn;

    [ThreadStatic]
    private static int _left;

    public bool IsNone => Value == 0;

    public static Receipt New()
    {
        var drawn = _drawn ??= new ulong[DrawnTogether];
        if (_left == 0)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(drawn.AsSpan()));
            _left = DrawnTogether;
        }

        var value = drawn[--_left];
        return new Receipt(value == 0 ? 1 : value);
    }

    public static bool TryParse(string? text, out Receipt receipt)
    {
        receipt = default;
        if (text is not { Length: 16 }
            || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        receipt = new Receipt(value);
        return value != 0;
    }

    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
