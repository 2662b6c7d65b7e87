using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace PushQueue.Dialects;

/// <summary>The API of another system, translated. Mounted under <c>/name</c> on every port, and alone at the root of its own.</summary>
/// <param name="Name">Lower case letters; its prefix, and the word in the switch of its port.</param>
/// <param name="Map">Maps its routes into a group that stands under its prefix.</param>
/// <param name="RefuseAsync">Answers, in the dialect's own form, with a status and a sentence.</param>
internal sealed record Dialect(string Name, Action<IEndpointRouteBuilder> Map, Func<HttpContext, int, string, Task> RefuseAsync);
