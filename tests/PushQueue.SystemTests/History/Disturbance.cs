namespace PushQueue.SystemTests.History;

/// <summary>One thing that goes wrong in a run, and after how long a wait behind the one before.</summary>
internal sealed record Disturbance(TimeSpan After, DisturbanceKind Kind)
{
    private const int CutsBetweenFaultsMax = 8;

    /// <summary>The disturbances of a run over so much time. The same seed gives the same ones, in the same order.</summary>
    /// <param name="seed">Chooses them.</param>
    /// <param name="length">How long the run is.</param>
    /// <param name="mayKill">Whether servers may be ended; else connections are cut only.</param>
    public static IReadOnlyList<Disturbance> Plan(int seed, TimeSpan length, bool mayKill)
    {
        var random = new Random(seed);
        var plan = new List<Disturbance>();
        for (var at = TimeSpan.Zero; at < length;)
        {
            var after = TimeSpan.FromMilliseconds(random.Next(20, 600));
            var chance = random.Next(100);
            var kind = chance switch
            {
                < 3 when mayKill => DisturbanceKind.Kill,
                < 4 when mayKill => DisturbanceKind.Stop,
                < 8 => DisturbanceKind.CutAll,
                _ => DisturbanceKind.CutOne,
            };
            plan.Add(new Disturbance(after, kind));
            at += after;
        }

        return plan;
    }

    /// <summary>
    /// The disturbances of a long, quiet run: connections are cut all the time. After each stretch the server is restarted, by turns with
    /// -9 and in the orderly way.
    /// </summary>
    public static IReadOnlyList<Disturbance> Stretches(int seed, int stretches, TimeSpan stretch)
    {
        var random = new Random(seed);
        var plan = new List<Disturbance>();
        for (var number = 0; number < stretches; number++)
        {
            for (var at = TimeSpan.Zero; at < stretch;)
            {
                var after = TimeSpan.FromMilliseconds(random.Next(1000, 9000));
                plan.Add(new Disturbance(after, random.Next(20) == 0 ? DisturbanceKind.CutAll : DisturbanceKind.CutOne));
                at += after;
            }

            if (number < stretches - 1)
            {
                plan.Add(new Disturbance(TimeSpan.Zero, number % 2 == 0 ? DisturbanceKind.Kill : DisturbanceKind.Stop));
            }
        }

        return plan;
    }

    /// <summary>
    /// Rounds, in each of which every one of some faults happens once, in an order of its own, with cut connections between them.
    /// </summary>
    public static IReadOnlyList<Disturbance> Rounds(int seed, int rounds, DisturbanceKind[] faults)
    {
        var random = new Random(seed);
        var plan = new List<Disturbance>();
        for (var round = 0; round < rounds; round++)
        {
            var shuffled = (DisturbanceKind[])faults.Clone();
            random.Shuffle(shuffled);
            foreach (var fault in shuffled)
            {
                for (var cuts = random.Next(1, CutsBetweenFaultsMax); cuts > 0; cuts--)
                {
                    var kind = random.Next(10) == 0 ? DisturbanceKind.CutAll : DisturbanceKind.CutOne;
                    plan.Add(new Disturbance(TimeSpan.FromMilliseconds(random.Next(20, 600)), kind));
                }

                plan.Add(new Disturbance(TimeSpan.FromMilliseconds(random.Next(20, 600)), fault));
            }
        }

        return plan;
    }
}
