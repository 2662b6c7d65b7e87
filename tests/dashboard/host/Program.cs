// An application with pages and users of its own, which shows the dashboard to those who have signed in. Run with the folder of its data.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using PushQueue;

var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options => options.LoginPath = "/sign-in");
builder.Services.AddAuthorization();
builder.Services.AddPushQueue(options => options.Storage.DataDirectory = args[0]);
var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();

const string signInPage = """
    <!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Shop</title>
    <form method="post"><label>Name <input name="name"></label><button>Sign in</button></form>
    """;
app.MapGet("/sign-in", () => Results.Content(signInPage, "text/html"));
app.MapPost("/sign-in", async (HttpContext context, string? returnUrl) =>
{
    var form = await context.Request.ReadFormAsync();
    var user = new ClaimsIdentity([new Claim(ClaimTypes.Name, form["name"].ToString())], CookieAuthenticationDefaults.AuthenticationScheme);
    await context.SignInAsync(new ClaimsPrincipal(user));
    return Results.LocalRedirect(returnUrl ?? "/");
});
app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
app.MapGet("/", () => "The shop.");
app.MapGroup("/mq").MapPushQueue().RequireAuthorization();
app.MapPushQueueDashboard("/admin/queues").RequireAuthorization();

await app.StartAsync();
Console.WriteLine(app.Urls.Single());
await app.WaitForShutdownAsync();
