using System.Text;
using System.Xml;

namespace PushQueue.Dialects.RestMq;

/// <summary>A call of XML-RPC, read by a real parser that neither takes DTDs nor looks anything up.</summary>
internal sealed record XmlRpcCall(string Method, IReadOnlyList<XmlRpcValue> Parameters)
{
    public const int ParseError = -32700;

    private const int ParametersMax = 16;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>Null where the body is not a call; <paramref name="whyNot"/> is then a sentence.</summary>
    public static XmlRpcCall? Read(byte[] body, out string? whyNot)
    {
        try
        {
            using var xml = XmlReader.Create(new MemoryStream(body, writable: false), Settings);
            whyNot = null;
            return Read(xml);
        }
        catch (Exception e) when (e is XmlException or InvalidOperationException)
        {
            // The second is how the reader says that text stands where an element should.
            whyNot = $"The body is not an XML-RPC call: {e.Message}";
            return null;
        }
        catch (FormatException)
        {
            whyNot = "The body is not an XML-RPC call: a base64 value is broken.";
            return null;
        }
    }

    private static XmlRpcCall Read(XmlReader xml)
    {
        xml.MoveToContent();
        xml.ReadStartElement("methodCall");
        xml.MoveToContent();
        var method = xml.ReadElementContentAsString("methodName", "").Trim();
        var parameters = new List<XmlRpcValue>();
        if (xml.MoveToContent() == XmlNodeType.Element)
        {
            if (xml.IsEmptyElement)
            {
                xml.ReadStartElement("params");
            }
            else
            {
                ReadParameters(xml, parameters);
            }
        }

        xml.MoveToContent();
        xml.ReadEndElement();

        // The rest must be well-formed too: what breaks behind the call was not what the client meant to send.
        while (xml.Read())
        {
        }

        return new XmlRpcCall(method, parameters);
    }

    private static void ReadParameters(XmlReader xml, List<XmlRpcValue> parameters)
    {
        xml.ReadStartElement("params");
        while (xml.MoveToContent() == XmlNodeType.Element)
        {
            if (parameters.Count == ParametersMax)
            {
                throw new XmlException("It has too many parameters.");
            }

            xml.ReadStartElement("param");
            xml.MoveToContent();
            parameters.Add(ReadValue(xml));
            xml.MoveToContent();
            xml.ReadEndElement();
        }

        xml.ReadEndElement();
    }

    private static XmlRpcValue ReadValue(XmlReader xml)
    {
        if (xml.IsEmptyElement)
        {
            xml.ReadStartElement("value");
            return new XmlRpcValue("", null);
        }

        xml.ReadStartElement("value");

        // Without a type it is a string, and white space is part of it; before a type it is not.
        var characters = new StringBuilder();
        while (xml.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace)
        {
            characters.Append(xml.Value);
            xml.Read();
        }

        var text = characters.ToString();
        var value = new XmlRpcValue(text, null);
        if (xml.NodeType == XmlNodeType.Element)
        {
            if (!string.IsNullOrWhiteSpace(text))
            {
                throw new XmlException("A value holds text outside its type.");
            }

            value = ReadTyped(xml);
            xml.MoveToContent();
        }

        xml.ReadEndElement();
        return value;
    }

    private static XmlRpcValue ReadTyped(XmlReader xml)
    {
        var type = xml.LocalName;
        return type switch
        {
            "string" => new XmlRpcValue(xml.ReadElementContentAsString(), null),
            "base64" => new XmlRpcValue("", Convert.FromBase64String(xml.ReadElementContentAsString())),
            "int" or "i4" or "i8" or "boolean" or "double" or "dateTime.iso8601" =>
                new XmlRpcValue(xml.ReadElementContentAsString().Trim(), null),
            _ => throw new XmlException("A value is neither a string nor another simple type; put structures as JSON text."),
        };
    }
}

/// <summary>A simple value: its text, or its bytes where it is base64.</summary>
internal readonly record struct XmlRpcValue(string Text, byte[]? Binary);
