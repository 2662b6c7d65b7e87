using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace PushQueue.EntityFrameworkCore;

/// <summary>
/// Runs the work of a message once. Inside it the retries of the context's own strategy are off, which a transaction requires: a failed
/// transaction is a failed attempt, and the queue gives the message again.
/// </summary>
internal sealed class AttemptStrategy(DbContext context) : ExecutionStrategy(context, maxRetryCount: 0, TimeSpan.Zero)
{
    protected override bool ShouldRetryOn(Exception exception) => false;
}
