using PushQueue.EntityFrameworkCore.Tests.Support;

// A test starts this program a second time as a forwarder, and kills it.
return args is [ForwarderProcess.Verb, ..]
    ? await ForwarderProcess.RunAsync(args)
    : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
