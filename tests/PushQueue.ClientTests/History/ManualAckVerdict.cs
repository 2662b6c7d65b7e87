namespace PushQueue.ClientTests.History;

/// <summary>Compares what was put with what became of it.</summary>
internal static class ManualAckVerdict
{
    /// <param name="put">Ids of the puts that were answered.</param>
    /// <param name="acked">Ids of the messages whose ack was answered with yes.</param>
    /// <param name="resting">Ids of the messages that the server has in the end, dead ones too.</param>
    /// <returns>A line for each finding; none where all is well.</returns>
    public static List<string> Judge(IEnumerable<string> put, ICollection<string> acked, ICollection<string> resting)
    {
        var findings = new List<string>();
        foreach (var id in put)
        {
            switch (acked.Contains(id), resting.Contains(id))
            {
                case (false, false):
                    findings.Add($"lost: {id} was put, nobody has acked it, and it is gone");
                    break;
                case (false, true):
                    findings.Add($"forgotten: {id} was put and rests, and no consumer gets it");
                    break;
                case (true, true):
                    findings.Add($"undone: {id} was acked and is there again");
                    break;
                default:
                    break;
            }
        }

        return findings;
    }
}
