"""Each construct of Convox's documentation as a whole manifest; the words are our own."""

from core.records.environment import Environment

VARIABLES = Environment((("WEB_HOST", "www.example.com"), ("SESSION_KEY", "x"), ("GHCR_TOKEN", "y")))
MANIFESTS = {
    "a service in three lines": "services: {web: {build: ., port: 3000, health: /check, scale: 3}}",
    "a service with most keys": """
        services:
          web:
            agent: false
            annotations: [example.org/team=payments]
            build: {manifest: Dockerfile.web, path: ., args: [RUBY=3.3]}
            command: bin/web --port 5000
            deployment: {minimum: 25, maximum: 100}
            domain: ${WEB_HOST}
            drain: 10
            environment: [SESSION_KEY, LEVEL=info, EMPTY=]
            health: {grace: 10, interval: 5, path: /check, timeout: 3}
            internal: false
            port: 5000
            ports: [5001, 5002]
            privileged: false
            scale: {count: 2, cpu: 128, memory: 512}
            singleton: false
            sticky: true
            termination: {grace: 45}
            test: make test
            timeout: 180
            tls: {redirect: true}
    """,
    "an app with all its parts": """
        environment: [COMPANY=Example, SESSION_KEY]
        labels: {team: platform}
        configs: [{id: app-config, value: "a = 1"}]
        appSettings: {awsLogs: {cwRetention: 31, disableRetention: false}}
        resources:
          database: {type: postgres, options: {storage: 200}}
          queue: {type: redis}
        services:
          api: {build: ., command: bin/api, health: /check, internal: true, port: 3000, resources: [database, queue]}
          web: {build: ., command: bin/web, port: 3000}
          worker: {build: ./worker, command: bin/worker, resources: [database, queue]}
          metrics: {agent: true, image: example/metrics}
        timers:
          cleanup: {schedule: "0 3 * * * *", command: bin/cleanup, service: worker}
    """,
    "labels of the app and of a service": "labels: {cost-center: a}\nservices: {web: {labels: {cost-center: b}}}",
    "variables with and without defaults": "environment: [A, B=1, 'C=', '*']\nservices: {web: {environment: [D=2]}}",
    "variables from an anchor": "x-env: &env [A=1]\nservices: {web: {environment: [*env, B=2]}}",
    "a port with a scheme": "services: {web: {port: https:3000}, rpc: {port: grpc:50051}}",
    "a port as a mapping": "services: {web: {port: {port: 3000, scheme: https}}}",
    "extra ports": "services: {web: {port: 3000, ports: [3001, 53/udp]}}",
    "health on a port of its own": "services: {web: {port: 3000, health: {path: /h, port: 3001}}}",
    "health that is not asked": "services: {web: {port: 3000, health: {disable: true}}}",
    "liveness": "services: {web: {port: 3000, liveness: {path: /live, grace: 15, interval: 5, timeout: 3, failureThreshold: 3}}}",
    "a startup check by HTTP": "services: {web: {port: 3000, startupProbe: {path: /up, failureThreshold: 30}}}",
    "a startup check by TCP": "services: {web: {port: 3000, startupProbe: {tcpSocketPort: 3000, grace: 20}}}",
    "gRPC's health protocol": "services: {rpc: {port: grpc:50051, grpcHealthEnabled: true}}",
    "a count": "services: {web: {scale: 3}}",
    "a range": "services: {web: {scale: 1-3}}",
    "a range with targets": "services: {web: {scale: {count: 1-3, targets: {cpu: 50, memory: 80}}}}",
    "limits": "services: {web: {scale: {cpu: 250, memory: 512, limit: {cpu: 500, memory: 1024}}}}",
    "a GPU": "services: {web: {scale: {count: 1, gpu: 1}}}",
    "a GPU with its vendor": "services: {web: {scale: {gpu: {count: 1, vendor: nvidia}}}}",
    "a singleton": "services: {web: {singleton: true}}",
    "an agent with a port": "services: {metrics: {agent: true, image: example/metrics, ports: [8125/udp]}}",
    "a privileged service": "services: {web: {privileged: true}}",
    "one domain": "services: {web: {port: 3000, domain: www.example.com}}",
    "several domains": "services: {web: {port: 3000, domain: 'a.example.com,b.example.com'}}",
    "domains as a list": "services: {web: {port: 3000, domain: [a.example.com, b.example.com]}}",
    "an internal service": "services: {web: {port: 3000, internal: true}}",
    "the internal router": "services: {web: {port: 3000, internalRouter: true}}",
    "a certificate of its own": "services: {web: {port: 3000, certificate: {duration: 2160h}}}",
    "addresses that may come": "services: {web: {port: 3000, whitelist: '10.0.0.0/16,192.168.0.1/32'}}",
    "annotations of the route": "services: {web: {port: 3000, ingressAnnotations: [nginx.ingress.kubernetes.io/limit-rpm=10]}}",
    "a balancer": """
        balancers:
          ingress: {annotations: [example.org/value=a], service: mqtt, ports: {8883: 8883}, whitelist: [192.168.0.0/16]}
        services: {mqtt: {ports: [8883]}}
    """,
    "a resource": "resources: {main: {type: postgres}}\nservices: {web: {resources: [main]}}",
    "a resource under another name": "resources: {main: {type: mysql}}\nservices: {web: {resources: ['main:OTHER_URL']}}",
    "resources of each kind": """
        resources: {a: {type: postgres}, b: {type: mysql}, c: {type: mariadb}, d: {type: redis}, e: {type: memcached}}
        services: {web: {resources: [a, b, c, d, e]}}
    """,
    "timers on a service that runs nothing itself": """
        services: {web: {}, jobs: {build: ./jobs, scale: {count: 0}}}
        timers: {cleanup: {command: bin/cleanup, schedule: "*/1 * * * ?", service: jobs}}
    """,
    "a timer that waits for the one before": """
        services: {web: {}}
        timers: {sync: {command: bin/sync, schedule: "0 * * * *", service: web, concurrency: forbid}}
    """,
    "a timer of many": """
        services: {web: {}}
        timers: {sync: {command: bin/sync, schedule: "0 3 * * *", service: web, parallelCount: 4, annotations: [a=b]}}
    """,
    "a volume": "services: {web: {volumes: [/data]}}",
    "a volume in memory": "services: {web: {volumeOptions: [{emptyDir: {id: cache, mountPath: /cache, medium: Memory}}]}}",
    "a configuration file": """
        configs: [{id: app-config, value: "a = 1"}]
        services: {web: {configMounts: [{id: app-config, dir: /etc/app, filename: app.conf}]}}
    """,
    "an init container": "services: {web: {initContainer: {image: busybox, command: echo ready}}}",
    "hooks": "services: {web: {lifecycle: {preStop: sleep 5, postStart: bin/warm}}}",
    "nodes that it must and should have": """
        services:
          web:
            nodeSelectorLabels: {example.com/disk: ssd}
            nodeAffinityLabels: [{weight: 10, label: example.com/zone, value: a}]
    """,
    "dots of names": "services: {web: {dnsConfig: {ndots: 1}}}",
    "a login for images": """
        services: {web: {image: ghcr.io/a/b:1, imagePullSecrets: [{registry: ghcr.io, username: u, passwordEnv: GHCR_TOKEN}]}}
    """,
    "a role of the cloud": "services: {web: {annotations: ['eks.amazonaws.com/role-arn=arn:aws:iam::1:role/web']}}",
    "a security context": "services: {web: {securityContext: {runAsNonRoot: true, runAsUser: 1000}}}",
    "no init process": "services: {web: {init: false}}",
    "a spending cap": "budget: {monthlyCapUsd: 500}\nservices: {web: {}}",
}  # fmt: skip
