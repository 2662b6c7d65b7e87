namespace PushQueue.Security;

/// <summary>Permissions of a user of the application's own authentication on some queues.</summary>
public sealed class QueueGrant
{
    /// <param name="queues">A name of a queue, or a pattern in which <c>*</c> stands for any characters: <c>orders.*</c>.</param>
    /// <param name="can">Words of the access file: <c>put</c>, <c>take</c>, <c>listen</c>, <c>manage</c>, <c>stats</c>.</param>
    /// <exception cref="ArgumentException">One of the words is not such a permission.</exception>
    public QueueGrant(string queues, params IEnumerable<string> can)
    {
        ArgumentException.ThrowIfNullOrEmpty(queues);
        ArgumentNullException.ThrowIfNull(can);
        var permissions = Permissions.None;
        foreach (var word in can)
        {
            permissions |= AccessFile.Permission(word) is var permission and not Permissions.None
                ? permission
                : throw new ArgumentException(
                    $"There is no permission '{word}'; the permissions are {AccessFile.PermissionList}.", nameof(can));
        }

        Access = new AccessGrant([queues], permissions);
    }

    internal AccessGrant Access { get; }

    /// <summary>Reads the value of a claim, <c>put,listen:orders.*</c>.</summary>
    /// <returns>Null where the text is not of that form: a claim that cannot be read grants nothing.</returns>
    public static QueueGrant? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var words = text[..Math.Max(colon, 0)].Split(',', StringSplitOptions.TrimEntries);
        return colon > 0 && colon < text.Length - 1
            && Array.TrueForAll(words, static word => AccessFile.Permission(word) != Permissions.None)
            ? new QueueGrant(text[(colon + 1)..], words)
            : null;
    }
}
