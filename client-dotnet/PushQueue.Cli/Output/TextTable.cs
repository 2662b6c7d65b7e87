using System.Text;
using Spectre.Console.Rendering;

namespace PushQueue.Cli.Output;

/// <summary>
/// A table with one line per row. On a terminal it fits the width: columns that matter least are left out, and then texts are cut with an
/// ellipsis. In a pipe nothing is cut, so that grep and awk find what they look for.
/// </summary>
internal sealed class TextTable(params TextColumn[] columns)
{
    private const int Gap = 2;
    private const int NarrowestText = 12;

    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>The header and the rows.</summary>
    /// <param name="width">Columns of the terminal; null for no limit.</param>
    public IEnumerable<string> Lines(int? width = null)
    {
        var widths = Array.ConvertAll([.. Enumerable.Range(0, columns.Length)], WidthOf);
        if (width is { } limit)
        {
            Fit(widths, limit);
        }

        return _rows.Prepend(Array.ConvertAll(columns, column => column.Name)).Select(cells => Line(cells, widths));
    }

    private static int CellsOf(string text) => new Segment(text).CellCount();

    private int WidthOf(int column) => _rows.Select(row => CellsOf(row[column])).Append(CellsOf(columns[column].Name)).Max();

    private void Fit(int[] widths, int limit)
    {
        foreach (var column in Enumerable.Range(0, columns.Length).OrderByDescending(column => columns[column].LeaveOutFirst))
        {
            if (TotalOf(widths) <= limit || columns[column].LeaveOutFirst == 0)
            {
                break;
            }

            widths[column] = 0;
        }

        var excess = TotalOf(widths) - limit;
        foreach (var column in Enumerable.Range(
            0, columns.Length).Where(column => columns[column].IsText).OrderByDescending(column => widths[column]))
        {
            var cut = Math.Clamp(widths[column] - NarrowestText, 0, Math.Max(0, excess));
            widths[column] -= cut;
            excess -= cut;
        }
    }

    private static int TotalOf(int[] widths) => widths.Sum(width => width > 0 ? width + Gap : 0) - Gap;

    private string Line(string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < columns.Length; i++)
        {
            if (widths[i] == 0)
            {
                continue;
            }

            var text = Cut(cells[i], widths[i]);
            var padding = new string(' ', Math.Max(0, widths[i] - CellsOf(text)));
            line.Append(line.Length > 0 ? new string(' ', Gap) : "").Append(columns[i].IsText ? text + padding : padding + text);
        }

        return line.ToString().TrimEnd();
    }

    private static string Cut(string text, int width)
    {
        if (CellsOf(text) <= width)
        {
            return text;
        }

        var cut = new StringBuilder();
        var cells = 1;
        foreach (var rune in text.EnumerateRunes())
        {
            cells += CellsOf(rune.ToString());
            if (cells > width)
            {
                break;
            }

            cut.Append(rune);
        }

        return cut.Append('…').ToString();
    }
}

/// <summary>A column.</summary>
/// <param name="Name">Its header.</param>
/// <param name="IsText">Whether it is aligned to the left and may be cut; numbers are never cut.</param>
/// <param name="LeaveOutFirst">0: always shown; where there is no room the highest goes first.</param>
internal sealed record TextColumn(string Name, bool IsText = false, int LeaveOutFirst = 0);
