using System.Globalization;
using System.Text;
using System.Xml;

namespace PushQueue.Dialects.RestMq;

/// <summary>Writes the answers of XML-RPC.</summary>
internal static class XmlRpcAnswer
{
    private static readonly XmlWriterSettings Settings = new()
    {
        Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),

        // Else a reader would make line feeds of the carriage returns in a text.
        NewLineHandling = NewLineHandling.Entitize,
    };

    public static byte[] Text(string text) => Write(xml => WriteResult(xml, () => WriteValue(xml, text)));

    public static byte[] Struct(params (string Name, string Value)[] members) =>
        Write(xml => WriteResult(xml, () => WriteStruct(xml, members)));

    public static byte[] Fault(int code, string sentence) => Write(xml =>
    {
        xml.WriteStartElement("fault");
        xml.WriteStartElement("value");
        xml.WriteStartElement("struct");
        xml.WriteStartElement("member");
        xml.WriteElementString("name", "faultCode");
        xml.WriteStartElement("value");
        xml.WriteElementString("int", code.ToString(CultureInfo.InvariantCulture));
        xml.WriteEndElement();
        xml.WriteEndElement();
        WriteMember(xml, "faultString", Printable(sentence));
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteEndElement();
    });

    private static byte[] Write(Action<XmlWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, Settings))
        {
            xml.WriteStartDocument();
            xml.WriteStartElement("methodResponse");
            write(xml);
            xml.WriteEndElement();
        }

        return bytes.ToArray();
    }

    private static void WriteResult(XmlWriter xml, Action write)
    {
        xml.WriteStartElement("params");
        xml.WriteStartElement("param");
        write();
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteStruct(XmlWriter xml, (string Name, string Value)[] members)
    {
        xml.WriteStartElement("value");
        xml.WriteStartElement("struct");
        foreach (var (name, value) in members)
        {
            WriteMember(xml, name, value);
        }

        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteMember(XmlWriter xml, string name, string value)
    {
        xml.WriteStartElement("member");
        xml.WriteElementString("name", name);
        WriteValue(xml, value);
        xml.WriteEndElement();
    }

    /// <summary>A string; what XML has no characters for goes as base64, which the protocol has a type for.</summary>
    private static void WriteValue(XmlWriter xml, string text)
    {
        xml.WriteStartElement("value");
        if (IsXml(text))
        {
            xml.WriteElementString("string", text);
        }
        else
        {
            xml.WriteElementString("base64", Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));
        }

        xml.WriteEndElement();
    }

    private static bool IsXml(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
            {
                i++;
            }
            else if (!XmlConvert.IsXmlChar(text[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A sentence may repeat what a client sent: what XML cannot carry of it becomes a question mark.</summary>
    private static string Printable(string sentence) =>
        IsXml(sentence) ? sentence : string.Concat(sentence.Select(static c => XmlConvert.IsXmlChar(c) ? c : '?'));
}
