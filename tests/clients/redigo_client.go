// A day in the life of redigo: a pool, a pipeline, a transaction, a script, a subscription.
//
// usage: redigo_client PORT PREFIX
package main

import (
	"fmt"
	"log"
	"os"
	"reflect"
	"sync"

	"github.com/gomodule/redigo/redis"
)

var port, prefix = os.Args[1], os.Args[2]

func key(name string) string { return "{" + prefix + "}:" + name }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func equal(got, wanted interface{}, err error) {
	must(err)
	if !reflect.DeepEqual(got, wanted) {
		log.Fatalf("got %v, wanted %v", got, wanted)
	}
}

func everyday(pool *redis.Pool) {
	var all sync.WaitGroup
	for worker := 0; worker < 10; worker++ {
		all.Add(1)
		go func(worker int) {
			defer all.Done()
			client := pool.Get()
			defer client.Close()
			for n := 0; n < 50; n++ {
				name := fmt.Sprintf("%s:%d:%d", prefix, worker, n)
				_, err := client.Do("SET", name, n)
				must(err)
				got, err := redis.Int(client.Do("GET", name))
				equal(got, n, err)
			}
		}(worker)
	}
	all.Wait()
}

func pipeline(client redis.Conn) {
	for n := 0; n < 200; n++ {
		must(client.Send("SET", fmt.Sprintf("%s:p%d", prefix, n), n))
		must(client.Send("GET", fmt.Sprintf("%s:p%d", prefix, n)))
	}
	must(client.Flush())
	for n := 0; n < 200; n++ {
		got, err := redis.String(client.Receive())
		equal(got, "OK", err)
		number, err := redis.Int(client.Receive())
		equal(number, n, err)
	}
}

func transaction(client redis.Conn) {
	must(client.Send("MULTI"))
	must(client.Send("SET", key("a"), 1))
	must(client.Send("INCRBY", key("a"), 4))
	got, err := redis.Values(client.Do("EXEC"))
	equal(got, []interface{}{"OK", int64(5)}, err)
	_, err = client.Do("WATCH", key("a"))
	must(err)
	must(client.Send("MULTI"))
	must(client.Send("GET", key("a")))
	number, err := redis.Ints(client.Do("EXEC"))
	equal(number, []int{5}, err)
	script := redis.NewScript(1, "return redis.call('incrby', KEYS[1], ARGV[1])")
	sum, err := redis.Int(script.Do(client, key("a"), 7))
	equal(sum, 12, err)
}

func subscription(pool *redis.Pool) {
	listener := redis.PubSubConn{Conn: pool.Get()}
	defer listener.Close()
	must(listener.Subscribe(prefix + ":news"))
	if _, right := listener.Receive().(redis.Subscription); !right {
		log.Fatal("no confirmation")
	}
	client := pool.Get()
	defer client.Close()
	_, err := client.Do("PUBLISH", prefix+":news", "hello")
	must(err)
	message, right := listener.Receive().(redis.Message)
	if !right || string(message.Data) != "hello" {
		log.Fatal("no message")
	}
}

func main() {
	pool := &redis.Pool{MaxIdle: 10, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", "127.0.0.1:"+port) }}
	defer pool.Close()
	everyday(pool)
	client := pool.Get()
	defer client.Close()
	pipeline(client)
	transaction(client)
	subscription(pool)
	fmt.Println("ok")
}
