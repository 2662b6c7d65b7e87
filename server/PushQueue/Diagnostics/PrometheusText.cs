using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace PushQueue.Diagnostics;

/// <summary>
/// Prometheus' text format. Names: dots become underscores, the unit follows as seconds or bytes, counters end in <c>_total</c>.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static byte[] Write(IEnumerable<MetricValues> instruments)
    {
        var text = new StringBuilder(16 * 1024);
        foreach (var values in instruments.OrderBy(static values => values.Instrument.Name, StringComparer.Ordinal))
        {
            var name = NameOf(values.Instrument);
            if (values.Buckets is { } buckets)
            {
                Head(text, name, "histogram", values.Instrument);
                Write(text, name, buckets);
                continue;
            }

            if (values.Read() is { Count: > 0 } series)
            {
                Head(text, name, IsCounter(values.Instrument) ? "counter" : "gauge", values.Instrument);
                foreach (var (labels, value) in series)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value}\n");
                }
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Labels as they stand behind a name; empty for none.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (labels.IsEmpty)
        {
            return string.Empty;
        }

        var text = new StringBuilder("{");
        foreach (var (name, value) in labels)
        {
            text.Append(text.Length > 1 ? "," : "").Append(name.Replace('.', '_')).Append("=\"");
            AppendEscaped(text, Convert.ToString(value, CultureInfo.InvariantCulture) ?? string.Empty);
            text.Append('"');
        }

        return text.Append('}').ToString();
    }

    private static string NameOf(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => string.Empty,
        };
        return instrument.Name.Replace('.', '_') + unit + (IsCounter(instrument) ? "_total" : string.Empty);
    }

    private static bool IsCounter(Instrument instrument) =>
        instrument is Counter<long> or ObservableCounter<long> or ObservableCounter<double>;

    private static void Head(StringBuilder text, string name, string type, Instrument instrument)
    {
        var help = (instrument.Description ?? instrument.Name)
            .Replace("\\", @"\\", StringComparison.Ordinal)
            .Replace("\n", @"\n", StringComparison.Ordinal);
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
    }

    private static void Write(StringBuilder text, string name, MetricBuckets buckets)
    {
        var (counts, sum) = buckets.Read();
        var total = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            var bound = i < buckets.Bounds.Count ? buckets.Bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{le=\"{bound}\"}} {total}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{name}_sum {sum}\n{name}_count {total}\n");
    }

    private static void AppendEscaped(StringBuilder text, string value)
    {
        foreach (var c in value)
        {
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append(@"\n"),
                _ => text.Append(c),
            };
        }
    }
}
