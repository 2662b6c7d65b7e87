namespace PushQueue.Dialects.RestMq;

/// <summary>Which section of the access file guards a route.</summary>
internal enum AccessSection
{
    RestProducer,
    RestConsumer,
    CometConsumer,
    WebSocketConsumer,
}
