using System.Text;
using PushQueue.Queues;
using Xunit;

namespace PushQueue.Tests.Queues;

public sealed class MessageHeadersTests
{
    public static TheoryData<string> BadNames =>
        ["", "a b", "tenant:", "a\nb", "a\r", "\0", "ä", "\u212A", "a/b", new string('n', 65), "a=b", "*"];

    public static TheoryData<string> BadValues => ["a\nb", "a\rb", "\0", "\t", "\u007f", "\u0085"];

    [Fact]
    public void Names_are_kept_in_lower_case_and_in_their_order()
    {
        var builder = new MessageHeadersBuilder();
        Assert.Null(builder.Add("Tenant", "7"));
        Assert.Null(builder.Add("a.B-c_9", ""));
        Assert.Null(builder.Add(new string('Z', 64), " ü "));

        var headers = builder.Build()!;

        Assert.Equal($"a.b-c_9=, tenant=7, {new string('z', 64)}= ü ", headers.ToString());
        Assert.True(headers.TryGet("tenant"u8, out var tenant));
        Assert.Equal("7", Encoding.UTF8.GetString(tenant));
        Assert.False(headers.TryGet("Tenant"u8, out _));
        Assert.Equal(headers, MessageHeaders.FromPacked(headers.Packed));
        Assert.Equal(headers.GetHashCode(), MessageHeaders.FromPacked(headers.Packed)!.GetHashCode());
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public void A_name_of_other_characters_is_refused(string name)
    {
        var whyNot = new MessageHeadersBuilder().Add(name, "v");

        Assert.NotNull(whyNot);
        Assert.DoesNotContain(whyNot, char.IsControl);
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void A_value_with_control_characters_is_refused(string value) =>
        Assert.NotNull(new MessageHeadersBuilder().Add("name", value));

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        var builder = new MessageHeadersBuilder();

        Assert.NotNull(builder.Add("\ud83d", "v"));
        Assert.Equal("The value of the header 'name' is not valid Unicode.", builder.Add("name", "\ud83d"));
    }

    [Fact]
    public void A_name_is_given_once_whatever_its_case()
    {
        var builder = new MessageHeadersBuilder();
        Assert.Null(builder.Add("A", "1"));

        Assert.Equal("The header 'a' is given twice; give it once. Upper and lower case are the same.", builder.Add("a", "2"));
        Assert.Equal("a=1", builder.Build()!.ToString());
    }

    [Fact]
    public void Thirty_two_headers_are_the_most()
    {
        var builder = new MessageHeadersBuilder();
        for (var i = 0; i < 32; i++)
        {
            Assert.Null(builder.Add($"h{i}", "v"));
        }

        Assert.Equal("A message may have at most 32 headers.", builder.Add("one-more", "v"));
    }

    [Fact]
    public void Names_and_values_have_4096_bytes_together()
    {
        var builder = new MessageHeadersBuilder();

        Assert.Null(builder.Add("ab", new string('ü', 2047)));
        Assert.NotNull(builder.Add("c", ""));
        Assert.Equal(4096 + 3, builder.Build()!.Packed.Length);
    }

    [Theory]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 1, (byte)'a', 0 })]
    [InlineData(new byte[] { 1, (byte)'a', 0, 2, (byte)'v' })]
    [InlineData(new byte[] { 0, 0, 0, 5 })]
    public void Bytes_that_end_too_early_are_not_headers(byte[] packed) =>
        Assert.Throws<InvalidDataException>(() => MessageHeaders.FromPacked(packed));

    [Fact]
    public void No_bytes_are_no_headers() => Assert.Null(MessageHeaders.FromPacked([]));
}
