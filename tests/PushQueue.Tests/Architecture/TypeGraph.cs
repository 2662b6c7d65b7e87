using Mono.Cecil;
using Mono.Cecil.Cil;

namespace PushQueue.Tests.Architecture;

/// <summary>
/// Which types of the library use which, read from its assembly: base types, interfaces, members, attributes and method bodies. Nested and
/// compiler-made types count as the type that holds them.
/// </summary>
internal sealed class TypeGraph
{
    private const string Root = "PushQueue";

    private readonly Dictionary<string, HashSet<string>> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TypeDefinition> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _folders = new(StringComparer.Ordinal);

    private TypeGraph(ModuleDefinition module)
    {
        foreach (var type in module.Types.Where(static type => IsOurs(type)))
        {
            _types[type.FullName] = type;
            _folders[type.FullName] = type.Namespace.Length == Root.Length ? "" : type.Namespace[(Root.Length + 1)..].Replace('.', '/');
        }

        foreach (var (name, type) in _types)
        {
            var uses = new HashSet<string>(StringComparer.Ordinal);
            Read(type, uses);
            uses.Remove(name);
            uses.IntersectWith(_types.Keys);
            _uses[name] = uses;
        }
    }

    public IEnumerable<TypeDefinition> Types => _types.Values;

    public static TypeGraph OfLibrary()
    {
        using var module = ModuleDefinition.ReadModule(typeof(PushQueueOptions).Assembly.Location);
        return new TypeGraph(module);
    }

    /// <summary>The folder of a type: its namespace without the root, with slashes; empty for the root.</summary>
    public string FolderOf(string type) => _folders[type];

    /// <summary>Each pair of folders of which the first uses the second, with a use as proof.</summary>
    public SortedDictionary<(string From, string To), string> FolderUses()
    {
        var found = new SortedDictionary<(string From, string To), string>();
        foreach (var (type, uses) in _uses.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            foreach (var used in uses.Where(used => FolderOf(used) != FolderOf(type)))
            {
                _ = found.TryAdd((FolderOf(type), FolderOf(used)), $"{type} uses {used}");
            }
        }

        return found;
    }

    private static bool IsOurs(TypeDefinition type) =>
        type.Namespace == Root || type.Namespace.StartsWith(Root + ".", StringComparison.Ordinal);

    private static void Read(TypeDefinition type, HashSet<string> uses)
    {
        Add(type.BaseType, uses);
        AddAll(type.Interfaces.Select(static implemented => implemented.InterfaceType), uses);
        AddAttributes(type, uses);
        AddAll(
            type.GenericParameters.SelectMany(static parameter => parameter.Constraints)
                .Select(static constraint => constraint.ConstraintType),
            uses);
        foreach (var field in type.Fields)
        {
            Add(field.FieldType, uses);
            AddAttributes(field, uses);
        }

        foreach (var method in type.Methods)
        {
            AddMethod(method, uses);
            AddAttributes(method, uses);
            if (method.HasBody)
            {
                Read(method.Body, uses);
            }
        }

        foreach (var nested in type.NestedTypes)
        {
            Read(nested, uses);
        }
    }

    private static void Read(MethodBody body, HashSet<string> uses)
    {
        AddAll(body.Variables.Select(static variable => variable.VariableType), uses);
        AddAll(body.ExceptionHandlers.Select(static handler => handler.CatchType), uses);
        foreach (var instruction in body.Instructions)
        {
            switch (instruction.Operand)
            {
                case TypeReference type:
                    Add(type, uses);
                    break;
                case MethodReference method:
                    Add(method.DeclaringType, uses);
                    AddMethod(method, uses);
                    break;
                case FieldReference field:
                    Add(field.DeclaringType, uses);
                    Add(field.FieldType, uses);
                    break;
            }
        }
    }

    private static void AddMethod(MethodReference method, HashSet<string> uses)
    {
        Add(method.ReturnType, uses);
        AddAll(method.Parameters.Select(static parameter => parameter.ParameterType), uses);
        if (method is GenericInstanceMethod generic)
        {
            AddAll(generic.GenericArguments, uses);
        }
    }

    private static void AddAttributes(ICustomAttributeProvider provider, HashSet<string> uses) =>
        AddAll(provider.CustomAttributes.Select(static attribute => attribute.AttributeType), uses);

    private static void AddAll(IEnumerable<TypeReference?> types, HashSet<string> uses)
    {
        foreach (var type in types)
        {
            Add(type, uses);
        }
    }

    private static void Add(TypeReference? type, HashSet<string> uses)
    {
        if (type is GenericInstanceType generic)
        {
            AddAll(generic.GenericArguments, uses);
        }

        var element = type?.GetElementType();
        while (element?.DeclaringType is { } outer)
        {
            element = outer;
        }

        if (element is not null)
        {
            _ = uses.Add(element.FullName);
        }
    }
}
