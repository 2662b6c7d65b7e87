using System.Globalization;
using System.Security.Cryptography;

namespace PushQueue.Queues;

/// <summary>
/// Proof of the current lease of a message: 64 random bits that change with every lease, so that a worker whose lease has ended
/// cannot ack what another holds now. Written as 16 hexadecimal digits.
/// </summary>
internal readonly record struct Receipt(ulong Value)
{
    public bool IsNone => Value == 0;

    public static Receipt New()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        var value = BitConverter.ToUInt64(bytes);
        return new Receipt(value == 0 ? 1 : value);
    }

    public static bool TryParse(string? text, out Receipt receipt)
    {
        receipt = default;
        if (text is not { Length: 16 } || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        receipt = new Receipt(value);
        return value != 0;
    }

    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
