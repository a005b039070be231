@main
enum Culvert {
    static func main() {}
}
