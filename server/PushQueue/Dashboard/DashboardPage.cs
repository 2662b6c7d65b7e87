namespace PushQueue.Dashboard;

/// <summary>A file of the dashboard.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="ContentType">Their type.</param>
/// <param name="Tag">The entity tag, with its quotes.</param>
internal sealed record DashboardPage(byte[] Content, string ContentType, string Tag)
{
    public bool IsHtml => ContentType.StartsWith("text/html", StringComparison.Ordinal);
}
