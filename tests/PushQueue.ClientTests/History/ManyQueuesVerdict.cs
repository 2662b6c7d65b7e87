using PushQueue.Client;

namespace PushQueue.ClientTests.History;

/// <summary>Judges what a stream over many broadcast queues has delivered.</summary>
internal static class ManyQueuesVerdict
{
    /// <summary>
    /// Returns a sentence for each fault: a message that is missing although no gap of its queue was reported, a message that came twice,
    /// or a message that came out of order.
    /// </summary>
    /// <param name="put">The texts that were put into each queue, in order.</param>
    /// <param name="got">Queue and text of what came, in order.</param>
    /// <param name="gaps">The gaps that were reported.</param>
    public static IReadOnlyList<string> Judge(
        IReadOnlyDictionary<string, List<string>> put, IReadOnlyList<(string Queue, string Text)> got, IReadOnlyCollection<Gap> gaps)
    {
        var findings = new List<string>();
        foreach (var (queue, texts) in put)
        {
            var came = got.Where(one => one.Queue == queue).Select(static one => one.Text).ToList();
            findings.AddRange(came.GroupBy(static text => text).Where(static same => same.Count() > 1)
                .Select(same => $"{queue}: '{same.Key}' came {same.Count()} times."));
            findings.AddRange(came.Except(texts).Select(text => $"{queue}: '{text}' was never put."));
            var once = came.Distinct().Where(texts.Contains).ToList();
            if (!once.SequenceEqual(texts.Where(once.Contains)))
            {
                findings.Add($"{queue}: messages came out of order.");
            }

            var missing = texts.Count - once.Count;
            if (missing > 0 && gaps.All(gap => gap.Queue != queue))
            {
                findings.Add($"{queue}: {missing} messages are missing, and no gap was reported.");
            }
        }

        return findings;
    }
}
