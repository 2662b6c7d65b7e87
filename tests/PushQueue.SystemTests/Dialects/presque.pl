# What a client on LWP does with presque: put, take, put back, batches, a worker and its statistics.
use strict;
use warnings;
use HTTP::Request;
use LWP::UserAgent;

my $base  = shift or die "give the server's address\n";
my $agent = LWP::UserAgent->new(timeout => 30);
$agent->default_header('X-presque-workerid' => 'perl');

sub call {
    my ($method, $path, $content) = @_;
    my $request = HTTP::Request->new($method => $base . $path);
    $request->header('Content-Type' => 'application/json');
    $request->content($content) if defined $content;
    my $answer = $agent->request($request);
    my $type = $answer->header('Content-Type') // 'none';
    print "$method $path ", $answer->code, " $type ", $answer->content, "\n";
}

call(POST   => '/w/foo', '{"worker_id":"perl"}');
call(POST   => '/q/foo', '{"key":"value"}');
call(GET    => '/q/foo');
call(PUT    => '/q/foo', '{"key":"value"}');
call(GET    => '/q/foo');
call(GET    => '/q/foo');
call(POST   => '/qb/foo', '{"jobs":[{"a":1},{"b":2}]}');
call(GET    => '/qb/foo?batch_size=5');
call(GET    => '/j/foo');
call(GET    => '/w/?queue_name=foo');
call(DELETE => '/w/foo?worker_id=perl');
call(GET    => '/w/');
call(DELETE => '/q/foo');
