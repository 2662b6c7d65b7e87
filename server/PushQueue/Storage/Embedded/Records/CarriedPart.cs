namespace PushQueue.Storage.Embedded.Records;

/// <summary>A message that is carried forward in a record that it shares with others.</summary>
/// <param name="Message">The message, which stands in its old record until the new one is on disk.</param>
/// <param name="Record">The new record.</param>
internal sealed record CarriedPart(StoredMessage Message, SharedRecord Record);
