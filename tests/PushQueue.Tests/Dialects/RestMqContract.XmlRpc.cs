using System.Xml.Linq;
using Xunit;

namespace PushQueue.Tests.Dialects;

public abstract partial class RestMqContract
{
    [Fact]
    public async Task Xml_rpc_sets_and_gets()
    {
        var set = await CallAsync("set", "<string>test</string>", "<string>a &lt;b&gt; &amp; ü&#13;\n</string>");
        Assert.Equal("test:1", Assert.Single(set.Descendants("string")).Value);

        var get = await CallAsync("get", "<string>test</string>");
        Assert.Equal(["key", "test:1", "value", "a <b> & ü\r\n"], get.Descendants("member").Elements().Select(element => element.Value));
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("<int>12</int>", "12")]
    [InlineData(" <boolean>1</boolean> ", "1")]
    [InlineData("<string/>", "")]
    [InlineData("<string>  </string>", "  ")]
    [InlineData("a<![CDATA[<b>]]><!-- no -->c", "a<b>c")]
    public async Task Xml_rpc_values_of_simple_types_are_kept_as_text(string value, string kept)
    {
        await CallAsync("set", "test", value);

        Assert.Equal(kept, (await CallAsync("get", "test")).Descendants("member").Last().Element("value")!.Value);
    }

    [Fact]
    public async Task What_XML_has_no_character_for_comes_as_base64()
    {
        await PutAsync("test", "a\u0001");
        await _server.PostAsync("/q/test", "bytes", "application/octet-stream");

        Assert.Equal(Base64("a\u0001"), Assert.Single((await CallAsync("get", "test")).Descendants("base64")).Value);
        Assert.Equal(Base64("bytes"), (await CallAsync("get", "test")).Descendants("string").Last().Value);
    }

    [Fact]
    public async Task Xml_rpc_answers_an_empty_queue_with_a_fault() =>
        Assert.Equal("empty queue", FaultOf(await CallAsync("get", "test")));

    [Theory]
    [InlineData("<methodCall><methodName>nothing</methodName></methodCall>")]
    [InlineData("<methodCall><methodName>set</methodName><params><param><value>test</value></param></params></methodCall>")]
    [InlineData("<methodCall><methodName>set</methodName></methodCall>")]
    [
        InlineData(
            "<methodCall><methodName>set</methodName><params><param><value>a/b</value></param><param><value>x</value></param></params></methodCall>")
    ]
    [
        InlineData(
            "<methodCall><methodName>set</methodName><params><param><value>test</value></param><param><value><struct/></value></param></params></methodCall>")
    ]
    [
        InlineData(
            "<methodCall><methodName>set</methodName><params><param><value>test</value></param><param><value><base64>*</base64></value></param></params></methodCall>")
    ]
    [
        InlineData(
            "<methodCall><methodName>set</methodName><params><param><value>test</value></param><param><value>x</value></param></params></methodCall><more/>")
    ]
    [InlineData("<methodCall><methodName>set</methodName><params><param><value>test</value></param><param><value>x")]
    [InlineData("<methodCall>set</methodCall>")]
    [InlineData("<methodCall><methodName><x/></methodName></methodCall>")]
    [InlineData("<methodCall><methodName>set</methodName><params>test</params></methodCall>")]
    [InlineData("<methodCall><methodName>set</methodName><params><param>test</param></params></methodCall>")]
    [
        InlineData(
            "<methodCall><methodName>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\U0001F600</methodName></methodCall>")
    ]
    [InlineData("<methodCall>\u0001</methodCall>")]
    [InlineData("<other/>")]
    [InlineData("set")]
    [InlineData("")]
    public async Task A_bad_call_is_a_fault_and_stores_nothing(string xml)
    {
        var answer = await PostAsync("/xmlrpc", xml, "text/xml");

        Assert.Equal((200, "text/xml"), (answer.Status, answer.ContentType));
        Assert.NotEmpty(FaultOf(XDocument.Parse(answer.Text)));
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>", "&c;")]
    [InlineData("<!DOCTYPE x [<!ENTITY c SYSTEM \"file:///etc/hostname\">]>", "&c;")]
    [InlineData("<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\">", "x")]
    [InlineData("", "&c;")]
    public async Task Document_types_and_entities_are_refused(string type, string value)
    {
        var answer = await PostAsync(
            "/xmlrpc",
            $"<?xml version=\"1.0\"?>{type}<methodCall><methodName>set</methodName><params><param><value>test</value></param><param><value>{value}</value></param></params></methodCall>",
            "text/xml");

        Assert.NotEmpty(FaultOf(XDocument.Parse(answer.Text)));
        Assert.Equal(0, await LengthAsync("test"));
    }

    [Theory]
    [InlineData("<value>")]
    [InlineData("<value><array><data>")]
    public async Task A_value_in_a_value_in_a_value_is_a_fault_however_deep(string element)
    {
        var xml = "<methodCall><methodName>set</methodName><params><param>" + string.Concat(Enumerable.Repeat(element, 20_000));

        Assert.NotEmpty(FaultOf(XDocument.Parse((await PostAsync("/xmlrpc", xml, "text/xml")).Text)));
        Assert.Equal(0, (await GetAsync("/stats/")).Json.GetProperty("count").GetInt32());
    }

    private async Task<XDocument> CallAsync(string method, params string[] values)
    {
        var parameters = string.Concat(values.Select(value => $"<param><value>{value}</value></param>"));
        var answer = await PostAsync(
            "/xmlrpc", $"<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n<params>{parameters}</params>\n</methodCall>\n", "text/xml");
        Assert.Equal((200, "text/xml"), (answer.Status, answer.ContentType));
        Assert.EndsWith("\r\n", answer.Text, StringComparison.Ordinal);
        return XDocument.Parse(answer.Text, LoadOptions.PreserveWhitespace);
    }

    private static string FaultOf(XDocument answer)
    {
        var members = answer.Root!.Element("fault")!.Descendants("member").ToDictionary(
            member => member.Element("name")!.Value, member => member.Element("value")!.Value);
        Assert.True(int.TryParse(members["faultCode"], out _));
        return members["faultString"];
    }
}
