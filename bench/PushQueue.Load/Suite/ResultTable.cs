using System.Globalization;
using System.Text;

namespace PushQueue.Load.Suite;

/// <summary>Medians, ratios and targets as Markdown. It prints whether a target was met; nothing fails because of it.</summary>
internal sealed class ResultTable
{
    private readonly StringBuilder _rows = new();
    private readonly List<string> _problems = [];

    /// <param name="scenario">Whose rows are added.</param>
    /// <param name="samples">By contender, in the order of the runs; a contender that could not run is not in it.</param>
    internal void Add(Scenario scenario, IReadOnlyDictionary<string, List<Sample>> samples)
    {
        foreach (var row in scenario.Rows)
        {
            var subject = Values(samples, row.Subject, row.Figure);
            var peer = row.Peer is null ? [] : Values(samples, row.Peer, row.Figure);
            var measured = row.Peer is null ? Median(subject) : Median([.. subject.Zip(peer, (mine, theirs) => mine / theirs)]);
            var ratio = row.Peer is null ? "" : Text(measured, "F2");
            var met = row.Target is null || double.IsNaN(measured) ? "" : row.Target.IsMetBy(measured) ? "yes" : "no";
            _rows.Append(
                CultureInfo.InvariantCulture,
                $"| {row.What} | {Cell(row.Subject, subject)} | {(row.Peer is null ? "" : Cell(row.Peer, peer))} ")
                .Append(CultureInfo.InvariantCulture, $"| {ratio} | {Wanted(row)} | {met} |\n");
        }

        foreach (var (name, runs) in samples)
        {
            _problems.AddRange(runs.Where(run => run.Problem is not null).Select(run => $"{scenario.Name}, {name}: {run.Problem}"));
        }
    }

    internal void AddProblem(string problem) => _problems.Add(problem);

    internal string Render(string machine, int runs, IReadOnlyList<string> versions, IReadOnlyList<string> missing)
    {
        var text = new StringBuilder();
        text.Append("# Benchmarks\n\nMade by `bench/run.sh`; `bench/README.md` says what the scenarios do and how to compare.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- Machine: {machine}.\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"- Conditions: Release build, warmed up; up to {runs} runs each, the systems taking turns; all traffic on 127.0.0.1, ");
        text.Append(
            "load clients on the same machine. "
            + "Figures are medians; a ratio is the median of the ratios of runs made next to each other.\n");
        text.Append(
            "- Durability: PushQueue `synced` (a put is answered when it is on disk) unless a row names another; "
            + "nchan keeps messages in memory only.\n");
        text.Append(versions.Count == 0 ? "" : $"- Peers: {string.Join(", ", versions)} (nchan is nginx's module).\n");
        text.Append(missing.Count == 0 ? "" : $"- Not installed here, left out: {string.Join(", ", missing)}.\n");
        text.Append(
            "\n| scenario and figure | measured | compared with | ratio | target | met |\n|---|---:|---:|---:|---:|---|\n").Append(_rows);
        text.Append(_problems.Count == 0 ? "\nEvery message of every run arrived, once.\n" : "\nRuns with something wrong:\n\n");
        _problems.ForEach(problem => text.Append(CultureInfo.InvariantCulture, $"- {problem}\n"));
        return text.ToString();
    }

    private static double[] Values(IReadOnlyDictionary<string, List<Sample>> samples, string contender, Figure figure) =>
        samples.TryGetValue(contender, out var runs) ? [.. runs.Select(run => run[figure])] : [];

    private static string Cell(string contender, double[] values) => $"{contender}: {Text(Median(values), "G4")}";

    private static string Wanted(Row row) => row.Target is null
        ? ""
        : (row.Target.AtLeast ? "≥ " : "≤ ")
            + row.Target.Bound.ToString(row.Target.Bound % 1 == 0 ? "N0" : "N2", CultureInfo.InvariantCulture);

    private static double Median(double[] values)
    {
        if (values.Length == 0)
        {
            return double.NaN;
        }

        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static string Text(double value, string format)
    {
        if (double.IsNaN(value))
        {
            return "–";
        }

        return Math.Abs(value) >= 1000
            ? value.ToString("N0", CultureInfo.InvariantCulture)
            : value.ToString(format, CultureInfo.InvariantCulture);
    }
}
