namespace PushQueue.Client;

/// <summary>
/// Every operation on queues, wherever they are: at a server (<c>PushQueueClient</c>, over HTTP) or in this process (an application that
/// hosts the queue gets it from its services). Safe for any number of threads. Later capabilities become interfaces of their own, which a
/// caller asks for, so that a new one breaks no implementation of this.
/// </summary>
public interface IPushQueueClient : IPushQueueProducer, IPushQueueConsumer, IPushQueueAdmin;
