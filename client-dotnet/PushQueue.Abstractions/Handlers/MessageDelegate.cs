namespace PushQueue.Client;

/// <summary>The work on one message, or a part of it. To return is to acknowledge the message, to throw is a failed attempt.</summary>
/// <param name="context">The message, and the services of its scope.</param>
public delegate Task MessageDelegate(MessageContext context);
